/* What an ESP8266 does with credentials.h: BearSSL takes the PEM apart, and reads key and certificates. Says what the key is. */
#include <bearssl.h>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>
#include CREDENTIALS

struct Block {
  std::string name;
  std::vector<unsigned char> bytes;
};

static std::vector<Block> blocksOf(const char *pem) {
  std::vector<Block> blocks;
  br_pem_decoder_context decoder;
  br_pem_decoder_init(&decoder);
  for (size_t length = strlen(pem); length > 0;) {
    size_t taken = br_pem_decoder_push(&decoder, pem, length);
    pem += taken;
    length -= taken;
    switch (br_pem_decoder_event(&decoder)) {
      case BR_PEM_BEGIN_OBJ:
        blocks.push_back({br_pem_decoder_name(&decoder), {}});
        br_pem_decoder_setdest(
            &decoder,
            [](void *to, const void *data, size_t size) {
              auto &bytes = static_cast<std::vector<Block> *>(to)->back().bytes;
              auto *from = static_cast<const unsigned char *>(data);
              bytes.insert(bytes.end(), from, from + size);
            },
            &blocks);
        break;
      case BR_PEM_ERROR:
        return {};
    }
  }
  return blocks;
}

static bool areCertificates(const char *pem) {
  auto blocks = blocksOf(pem);
  for (auto &block : blocks) {
    br_x509_decoder_context decoder;
    br_x509_decoder_init(&decoder, nullptr, nullptr);
    br_x509_decoder_push(&decoder, block.bytes.data(), block.bytes.size());
    if (br_x509_decoder_last_error(&decoder) != 0 || br_x509_decoder_get_pkey(&decoder) == nullptr) return false;
  }
  return !blocks.empty();
}

int main() {
  if (!areCertificates(ca_pem) || !areCertificates(client_cert_pem)) return 1;
  auto blocks = blocksOf(private_key_pem);
  if (blocks.size() != 1) return 2;
  br_skey_decoder_context decoder;
  br_skey_decoder_init(&decoder);
  br_skey_decoder_push(&decoder, blocks[0].bytes.data(), blocks[0].bytes.size());
  if (br_skey_decoder_last_error(&decoder) != 0) return 3;
  std::printf("%s, %s\n", blocks[0].name.c_str(), br_skey_decoder_key_type(&decoder) == BR_KEYTYPE_RSA ? "RSA" : "EC");
  return 0;
}
