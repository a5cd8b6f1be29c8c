/* tests/unit/proof_cases.h - HMACs with the key `key`, made by `openssl dgst -hmac`, and near
 * misses. */
#ifndef FUNNELD_TESTS_PROOF_CASES_H
#define FUNNELD_TESTS_PROOF_CASES_H

#include <stdbool.h>

/* Over {"email":"a@b"}; with a timestamp over 1769081994.{"email":"a@b"}. */
static const struct {
    const char *kind, *more, *signature;
    bool accepted;
} hmac_cases[] = {
    {"hmac-sha256", "signature_header = X-Signature\n",
     "e87cf774022357f042c30a83c8d0f4ac956804f6b6d32b4eb5d356960942652e", true},
    {"hmac-sha256", "signature_header = X-Signature\n",
     "E87CF774022357F042C30A83C8D0F4AC956804F6B6D32B4EB5D356960942652E", true},
    {"hmac-sha256", "signature_header = X-Signature\n",
     "e87cf774022357f042c30a83c8d0f4ac956804f6b6d32b4eb5d356960942652", false},
    {"hmac-sha256", "signature_header = X-Signature\n",
     "6Hz3dAIjV/BCwwqDyND0rJVoBPa20ytOtdNWlglCZS4=", false},
    {"hmac-sha256", "signature_header = X-Signature\nsignature_encoding = base64\n",
     "6Hz3dAIjV/BCwwqDyND0rJVoBPa20ytOtdNWlglCZS4=", true},
    {"hmac-sha256", "signature_header = X-Signature\nsignature_encoding = base64\n",
     "e87cf774022357f042c30a83c8d0f4ac956804f6b6d32b4eb5d356960942652e", false},
    {"hmac-sha256", "signature_header = X-Signature\nsignature_prefix = sha256=\n",
     "sha256=e87cf774022357f042c30a83c8d0f4ac956804f6b6d32b4eb5d356960942652e", true},
    {"hmac-sha256", "signature_header = X-Signature\nsignature_prefix = sha256=\n",
     "e87cf774022357f042c30a83c8d0f4ac956804f6b6d32b4eb5d356960942652e", false},
    {"hmac-sha256", "signature_header = X-Signature\ntimestamp_header = X-Time\n",
     "8e32e9b1c80767539ee2daddc4611ee06d4a6c9f335c06936568412248b37b12", true},
    {"hmac-sha256", "signature_header = X-Signature\ntimestamp_header = X-Time\n",
     "e87cf774022357f042c30a83c8d0f4ac956804f6b6d32b4eb5d356960942652e", false},
    {"hmac-sha1", "signature_header = X-Signature\n", "e80755b906f3e5658809efaf5e8c8ff98c6100d7",
     true},
    {"hmac-sha1", "signature_header = X-Signature\n", "E80755B906F3E5658809EFAF5E8C8FF98C6100D7",
     true},
    {"hmac-sha1", "signature_header = X-Signature\n", "e80755b906f3e5658809efaf5e8c8ff98c6100d",
     false},
    {"hmac-sha1", "signature_header = X-Signature\n", "6AdVuQbz5WWICe+vXoyP+YxhANc=", false},
    {"hmac-sha1", "signature_header = X-Signature\nsignature_encoding = base64\n",
     "6AdVuQbz5WWICe+vXoyP+YxhANc=", true},
    {"hmac-sha1", "signature_header = X-Signature\nsignature_encoding = base64\n",
     "e80755b906f3e5658809efaf5e8c8ff98c6100d7", false},
    {"hmac-sha1", "signature_header = X-Signature\nsignature_prefix = sha1=\n",
     "sha1=e80755b906f3e5658809efaf5e8c8ff98c6100d7", true},
    {"hmac-sha1", "signature_header = X-Signature\nsignature_prefix = sha1=\n",
     "e80755b906f3e5658809efaf5e8c8ff98c6100d7", false},
    {"hmac-sha1", "signature_header = X-Signature\ntimestamp_header = X-Time\n",
     "24e7fcebf4cbfa7f79ca18a1a9ae325dd087580f", true},
    {"hmac-sha1", "signature_header = X-Signature\ntimestamp_header = X-Time\n",
     "e80755b906f3e5658809efaf5e8c8ff98c6100d7", false},
    {"hmac-sha512", "signature_header = X-Signature\n",
     "023fda31c9a626a4ffa5f748f0410a0fbfd4e042d596ae6779c6ce30ffc36c6ad24f32c871c7592c35ceaebb05374"
     "7b2f10a0ba77dc8d931d4e3d50375cd2059",
     true},
    {"hmac-sha512", "signature_header = X-Signature\n",
     "023FDA31C9A626A4FFA5F748F0410A0FBFD4E042D596AE6779C6CE30FFC36C6AD24F32C871C7592C35CEAEBB05374"
     "7B2F10A0BA77DC8D931D4E3D50375CD2059",
     true},
    {"hmac-sha512", "signature_header = X-Signature\n",
     "023fda31c9a626a4ffa5f748f0410a0fbfd4e042d596ae6779c6ce30ffc36c6ad24f32c871c7592c35ceaebb05374"
     "7b2f10a0ba77dc8d931d4e3d50375cd205",
     false},
    {"hmac-sha512", "signature_header = X-Signature\n",
     "Aj/aMcmmJqT/pfdI8EEKD7/U4ELVlq5necbOMP/DbGrSTzLIccdZLDXOrrsFN0ey8QoLp33I2THU49UDdc0gWQ==",
     false},
    {"hmac-sha512", "signature_header = X-Signature\nsignature_encoding = base64\n",
     "Aj/aMcmmJqT/pfdI8EEKD7/U4ELVlq5necbOMP/DbGrSTzLIccdZLDXOrrsFN0ey8QoLp33I2THU49UDdc0gWQ==",
     true},
    {"hmac-sha512", "signature_header = X-Signature\nsignature_encoding = base64\n",
     "023fda31c9a626a4ffa5f748f0410a0fbfd4e042d596ae6779c6ce30ffc36c6ad24f32c871c7592c35ceaebb05374"
     "7b2f10a0ba77dc8d931d4e3d50375cd2059",
     false},
    {"hmac-sha512", "signature_header = X-Signature\nsignature_prefix = sha512=\n",
     "sha512="
     "023fda31c9a626a4ffa5f748f0410a0fbfd4e042d596ae6779c6ce30ffc36c6ad24f32c871c7592c35ceaebb05374"
     "7b2f10a0ba77dc8d931d4e3d50375cd2059",
     true},
    {"hmac-sha512", "signature_header = X-Signature\nsignature_prefix = sha512=\n",
     "023fda31c9a626a4ffa5f748f0410a0fbfd4e042d596ae6779c6ce30ffc36c6ad24f32c871c7592c35ceaebb05374"
     "7b2f10a0ba77dc8d931d4e3d50375cd2059",
     false},
    {"hmac-sha512", "signature_header = X-Signature\ntimestamp_header = X-Time\n",
     "1f40e9759a91f58baff0206d88fa03557ff0ceda8f2378d5c260fca668ad2bc06ffc846e11932ab1d131baec47325"
     "5b35d7c3959751e40e9673dec2f408690be",
     true},
    {"hmac-sha512", "signature_header = X-Signature\ntimestamp_header = X-Time\n",
     "023fda31c9a626a4ffa5f748f0410a0fbfd4e042d596ae6779c6ce30ffc36c6ad24f32c871c7592c35ceaebb05374"
     "7b2f10a0ba77dc8d931d4e3d50375cd2059",
     false},
    {"hmac-sha256", "signature_header = X-Signature\n",
     "E87cf774022357f042c30a83c8d0f4ac956804f6b6d32b4eb5d356960942652e", false},
    {"hmac-sha256", "signature_header = X-Signature\nsignature_encoding = base64\n",
     "6Hz3dAIjV/BCwwqDyND0rJVoBPa20ytOtdNWlglCZS4", false},
    {"hmac-sha1", "signature_header = X-Signature\n",
     "e87cf774022357f042c30a83c8d0f4ac956804f6b6d32b4eb5d356960942652e", false},
    {"hmac-sha256", "signature_header = X-Signature\n", "", false},
};

#endif
