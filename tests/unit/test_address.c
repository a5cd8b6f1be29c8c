/* tests/unit/test_address.c - what is on the Internet, and what only looks so. */
#include "cm.h"

#include <arpa/inet.h>

#include "funneld/base/address.h"
#include "funneld/base/rc.h"

static const struct {
    const char *text;
    bool public;
} samples[] = {
    {"8.8.8.8", true},
    {"1.1.1.1", true},
    {"44.238.10.1", true},
    {"0.0.0.0", false},
    {"0.1.2.3", false},
    {"9.255.255.255", true},
    {"10.0.0.1", false},
    {"10.255.255.255", false},
    {"11.0.0.0", true},
    {"100.63.255.255", true},
    {"100.64.0.1", false},
    {"100.127.255.255", false},
    {"100.128.0.0", true},
    {"127.0.0.1", false},
    {"127.255.255.254", false},
    {"128.0.0.1", true},
    {"169.253.255.255", true},
    {"169.254.169.254", false},
    {"172.15.255.255", true},
    {"172.16.0.1", false},
    {"172.31.255.255", false},
    {"172.32.0.0", true},
    {"192.0.0.1", false},
    {"192.0.1.0", true},
    {"192.0.2.1", false},
    {"192.88.99.1", false},
    {"192.167.255.255", true},
    {"192.168.1.1", false},
    {"192.169.0.0", true},
    {"198.17.255.255", true},
    {"198.18.0.1", false},
    {"198.19.255.255", false},
    {"198.20.0.0", true},
    {"198.51.100.7", false},
    {"203.0.113.7", false},
    {"223.255.255.255", true},
    {"224.0.0.1", false},
    {"239.255.255.255", false},
    {"240.0.0.1", false},
    {"255.255.255.255", false},
    {"::", false},
    {"::1", false},
    {"::7f00:1", false},
    {"::ffff:127.0.0.1", false},
    {"::ffff:10.0.0.1", false},
    {"::ffff:169.254.169.254", false},
    {"::ffff:8.8.8.8", true},
    {"::fffe:8.8.8.8", false},
    {"64:ff9b::10.0.0.1", false},
    {"64:ff9b::8.8.8.8", true},
    {"64:ff9b:1::8.8.8.8", false},
    {"100::1", false},
    {"fc00::1", false},
    {"fd12:3456::1", false},
    {"fe80::1", false},
    {"fec0::1", false},
    {"ff02::1", false},
    {"1fff:ffff::1", false},
    {"2001::1", false},
    {"2001:0:4136:e378:8000:63bf:3fff:fdd2", false},
    {"2001:1::1", true},
    {"2001:2::1", false},
    {"2001:2:1::1", true},
    {"2001:10::1", false},
    {"2001:1f:ffff::1", false},
    {"2001:20::1", false},
    {"2001:2f:ffff::1", false},
    {"2001:30::1", true},
    {"2001:db8::1", false},
    {"2001:db9::1", true},
    {"2001:4860:4860::8888", true},
    {"2002:7f00:1::1", false},
    {"2002:808:808::1", false},
    {"2606:4700:4700::1111", true},
    {"3ffe::1", true},
    {"3fff::1", false},
    {"3fff:fff:ffff::1", false},
    {"3fff:1000::1", true},
    {"4000::1", false},
    {"5f00::1", false},
};

static void every_range_ends_where_it_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        struct in6_addr a;

        assert_true(address_of_text(str_of(samples[i].text), &a));
        if (address6_is_public(&a) != samples[i].public)
            fail_msg("%s is judged wrong", samples[i].text);
    }
}

/* Written as they are, four bytes are judged as the same inside of six are. */
static void four_bytes_are_judged_alike_alone_and_inside_of_sixteen(void **state)
{
    struct in_addr four;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++)
        if (inet_pton(AF_INET, samples[i].text, &four) == 1)
            assert_int_equal(address4_is_public(four), samples[i].public);
}

static void only_the_usual_form_is_an_address(void **state)
{
    static const char *const none[] = {
        "",           "localhost",  "127.1", "0x7f.0.0.1", "0177.0.0.1", "2130706433",
        "127.0.0.1.", " 127.0.0.1", "[::1]", "::1%lo",     "1.2.3.4.5",  "::ffff:1.2.3.256"};
    struct in6_addr a;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        if (address_of_text(str_of(none[i]), &a))
            fail_msg("\"%s\" was taken for an address", none[i]);
    assert_false(address_of_text(STR("127.0.0.1\0x"), &a));
    assert_false(address_of_text(STR_NULL, &a));
    assert_true(address_of_text(STR("127.0.0.1"), &a));
    assert_true(IN6_IS_ADDR_V4MAPPED(&a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_range_ends_where_it_ends),
        cmocka_unit_test(four_bytes_are_judged_alike_alone_and_inside_of_sixteen),
        cmocka_unit_test(only_the_usual_form_is_an_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
