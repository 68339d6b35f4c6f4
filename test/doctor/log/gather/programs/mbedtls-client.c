/* A TLS client with mbedTLS that logs at debug level 1: host port ca cert key version name [wrong passphrase]. */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/debug.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void debug(void *unused, int level, const char *file, int line, const char *text) {
  (void)unused;
  const char *slash = strrchr(file, '/');
  printf("%s:%04d: |%d| %s", slash ? slash + 1 : file, line, level, text);
}

static void fail(const char *what, int code) {
  char text[200];
  mbedtls_strerror(code, text, sizeof text);
  printf(" failed\n  ! %s returned -0x%x\n\n", what, (unsigned)-code);
  printf("Last error was: %d - %s\n\n", code, text);
  printf("E (4512) esp-tls-mbedtls: %s returned -0x%04X\n", what, (unsigned)-code);
  exit(1);
}

int main(int argc, char **a) {
  if (argc < 8) return 2;
  mbedtls_entropy_context entropy;
  mbedtls_ctr_drbg_context random;
  mbedtls_net_context net;
  mbedtls_ssl_context ssl;
  mbedtls_ssl_config config;
  mbedtls_x509_crt ca, own;
  mbedtls_pk_context key;
  int r;
  mbedtls_entropy_init(&entropy);
  mbedtls_ctr_drbg_init(&random);
  mbedtls_net_init(&net);
  mbedtls_ssl_init(&ssl);
  mbedtls_ssl_config_init(&config);
  mbedtls_x509_crt_init(&ca);
  mbedtls_x509_crt_init(&own);
  mbedtls_pk_init(&key);
  mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0);
  if ((r = mbedtls_x509_crt_parse_file(&ca, a[3])) < 0) fail("mbedtls_x509_crt_parse", r);
  if (*a[4]) {
    if ((r = mbedtls_x509_crt_parse_file(&own, a[4])) != 0) fail("mbedtls_x509_crt_parse", r);
    if ((r = mbedtls_pk_parse_keyfile(&key, a[5], argc > 8 ? a[8] : NULL)) != 0) fail("mbedtls_pk_parse_keyfile", r);
  }
  if ((r = mbedtls_net_connect(&net, a[1 + 0], a[2], MBEDTLS_NET_PROTO_TCP)) != 0) fail("mbedtls_net_connect", r);
  mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
  mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random);
  mbedtls_ssl_conf_dbg(&config, debug, NULL);
  mbedtls_debug_set_threshold(2);
  mbedtls_ssl_conf_ca_chain(&config, &ca, NULL);
  if (*a[4] && (r = mbedtls_ssl_conf_own_cert(&config, &own, &key)) != 0) fail("mbedtls_ssl_conf_own_cert", r);
  if ((r = mbedtls_ssl_setup(&ssl, &config)) != 0) fail("mbedtls_ssl_setup", r);
  mbedtls_ssl_set_hostname(&ssl, a[7]);
  mbedtls_ssl_set_bio(&ssl, &net, mbedtls_net_send, mbedtls_net_recv, NULL);
  if ((r = mbedtls_ssl_handshake(&ssl)) != 0) {
    unsigned flags = mbedtls_ssl_get_verify_result(&ssl);
    if (flags != 0 && flags != 0xffffffffu) {
      char text[512];
      mbedtls_x509_crt_verify_info(text, sizeof text, "  ! ", flags);
      printf("%s", text);
      printf("E (4510) esp-tls-mbedtls: (%u): Failed to verify peer certificate! verify flags 0x%X\n", flags, flags);
    }
    fail("mbedtls_ssl_handshake", r);
  }
  unsigned char hello[] = {0x10, 0x16, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 10, 'd', 'e', 'v', 'i', 'c', 'e', '-', '0', '0', '1'};
  mbedtls_ssl_write(&ssl, hello, sizeof hello);
  r = mbedtls_ssl_read(&ssl, hello, sizeof hello);
  if (r <= 0) fail("mbedtls_ssl_read", r);
  return 0;
}
