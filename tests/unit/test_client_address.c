/* tests/unit/test_client_address.c - networks, and whom X-Forwarded-For makes the client. */
#include "cm.h"

#include <arpa/inet.h>

#include "../../src/http/client_priv.h"
#include "funneld/base/rc.h"

static struct in6_addr address(const char *text)
{
    struct network n;
    assert_true(network_parse(str_of(text), &n));
    return n.address;
}

static void networks_are_read_strictly(void **state)
{
    static const char *const good[] = {"10.0.0.0/8", "192.0.2.7", "fd00::/8",
                                       "::1",        "0.0.0.0/0", "::/0"};
    static const char *const bad[] = {"",           "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8",
                                      "fd00::/129", "10.0.0.0/",   "host",        "10.0.0.0/8x"};
    struct network n;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(network_parse(str_of(good[i]), &n));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(network_parse(str_of(bad[i]), &n));
}

static void a_network_has_the_addresses_under_its_prefix(void **state)
{
    static const struct {
        const char *network, *address;
        bool in;
    } cases[] = {
        {"10.0.0.0/8", "10.255.0.1", true},    {"10.0.0.0/8", "11.0.0.1", false},
        {"192.0.2.0/25", "192.0.2.127", true}, {"192.0.2.0/25", "192.0.2.128", false},
        {"192.0.2.7", "192.0.2.7", true},      {"192.0.2.7", "192.0.2.6", false},
        {"0.0.0.0/0", "203.0.113.1", true},    {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "203.0.113.1", true},         {"fd00::/8", "fdff::1", true},
        {"fd00::/8", "fe00::1", false},        {"10.0.0.0/8", "::ffff:10.1.2.3", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct network n;
        struct in6_addr a = address(cases[i].address);
        assert_true(network_parse(str_of(cases[i].network), &n));
        if (network_has(&n, &a) != cases[i].in)
            fail_msg("%s in %s", cases[i].address, cases[i].network);
    }
}

static void the_client_is_the_rightmost_that_is_not_trusted(void **state)
{
    static const struct {
        const char *peer, *forwarded, *client;
    } cases[] = {
        {"203.0.113.9", "198.51.100.1", "203.0.113.9"}, /* the peer is no proxy of ours */
        {"10.0.0.1", NULL, "10.0.0.1"},
        {"10.0.0.1", "", "10.0.0.1"},
        {"10.0.0.1", "198.51.100.1", "198.51.100.1"},
        {"10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"}, /* the left one may be invented */
        {"10.0.0.1", "198.51.100.1,10.0.0.2 ,10.0.0.3", "198.51.100.1"},
        {"10.0.0.1", "10.0.0.2,10.0.0.3", "10.0.0.2"},
        {"10.0.0.1", "198.51.100.1, rubbish", "10.0.0.1"},
        {"10.0.0.1", "198.51.100.1,", "10.0.0.1"},
        {"10.0.0.1", "198.51.100.1:4711", "198.51.100.1"},
        {"10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"},
        {"10.0.0.1", "2001:db8::1", "2001:db8::1"},
        {"10.0.0.1", "[2001:db8::1", "10.0.0.1"},
        {"::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"},
        {"fd00::1", "::ffff:198.51.100.1", "198.51.100.1"},
    };
    struct network trusted[2];

    (void)state;
    assert_true(network_parse(STR("10.0.0.0/8"), &trusted[0]));
    assert_true(network_parse(STR("fd00::/8"), &trusted[1]));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[INET6_ADDRSTRLEN];
        struct in6_addr a = client_address(address(cases[i].peer), str_of(cases[i].forwarded),
                                           trusted, ARRAY_LEN(trusted));
        address_text(&a, text);
        assert_string_equal(text, cases[i].client);
    }
}

static void socket_addresses_of_both_families_are_read(void **state)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr = {htonl(0xc0000207)}};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    char text[INET6_ADDRSTRLEN];
    struct in6_addr a = address_of((const struct sockaddr *)&v4);

    (void)state;
    address_text(&a, text);
    assert_string_equal(text, "192.0.2.7");
    a = address_of((const struct sockaddr *)&v6);
    address_text(&a, text);
    assert_string_equal(text, "::1");
}

static void a_share_belongs_to_an_ipv4_address_or_to_a_whole_ipv6_64(void **state)
{
    const struct in6_addr v4 = address("192.0.2.7"), next = address("192.0.2.8");
    const struct in6_addr v6 = address("2001:db8:1:2::1"), same = address("2001:db8:1:2:a:b:c:d");
    const struct in6_addr other = address("2001:db8:1:3::1");

    (void)state;
    assert_true(address_hash(&v4) != address_hash(&next));
    assert_true(address_hash(&v6) == address_hash(&same));
    assert_true(address_hash(&v6) != address_hash(&other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_are_read_strictly),
        cmocka_unit_test(a_network_has_the_addresses_under_its_prefix),
        cmocka_unit_test(the_client_is_the_rightmost_that_is_not_trusted),
        cmocka_unit_test(socket_addresses_of_both_families_are_read),
        cmocka_unit_test(a_share_belongs_to_an_ipv4_address_or_to_a_whole_ipv6_64),
    };

    return cmocka_run_group_tests_name("client_address", tests, NULL, NULL);
}
