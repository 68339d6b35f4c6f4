/*
 * A TLS server in C with the header of Handfast. For each connection it prints the id of the client, or the code of the refusal, and says
 * "hello <id>" to whom it lets in. It prints its port first, and ends when its standard input does.
 *
 *     mbedtls-server <certificate> <key> <seconds since 1970, or 0> [authority=file]...
 */
#define HANDFAST_VERIFY_IMPLEMENTATION
#include "handfast_verify.h"

#include <arpa/inet.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/pk.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static void check(int result, const char *what) {
  if (result >= 0) return;
  fprintf(stderr, "%s: -0x%04x\n", what, (unsigned)-result);
  exit(1);
}

static void trust_file(handfast_anchors *anchors, char *word) {
  static unsigned char text[65536];
  char *file = strchr(word, '=');
  FILE *opened;
  size_t length;
  if (file == NULL) exit(2);
  *file++ = 0;
  opened = fopen(file, "rb");
  if (opened == NULL) exit(2);
  length = fread(text, 1, sizeof text - 1, opened);
  fclose(opened);
  text[length] = 0;
  check(handfast_anchors_add(anchors, word, text, length + 1), "anchor of run time");
}

static void serve(mbedtls_ssl_config *config, const handfast_anchors *anchors, mbedtls_net_context *client, int64_t now) {
  mbedtls_ssl_context ssl;
  handfast_peer peer;
  mbedtls_ssl_init(&ssl);
  check(mbedtls_ssl_setup(&ssl, config), "setup");
  handfast_begin(&ssl, &peer, anchors, now);
  mbedtls_ssl_set_bio(&ssl, client, mbedtls_net_send, mbedtls_net_recv, NULL);
  if (mbedtls_ssl_handshake(&ssl) == 0 && handfast_id(&peer) != NULL) {
    char text[80];
    int length = snprintf(text, sizeof text, "hello %s", handfast_id(&peer));
    mbedtls_ssl_write(&ssl, (const unsigned char *)text, (size_t)length);
    mbedtls_ssl_close_notify(&ssl);
    printf("%s\n", handfast_id(&peer));
  } else {
    printf("%s\n", handfast_code(&peer));
  }
  fflush(stdout);
  mbedtls_ssl_free(&ssl);
}

int main(int argc, char **argv) {
  mbedtls_entropy_context entropy;
  mbedtls_ctr_drbg_context random;
  mbedtls_ssl_config config;
  mbedtls_x509_crt own;
  mbedtls_pk_context key;
  mbedtls_net_context listening;
  handfast_anchors anchors;
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  if (argc < 4) return 2;
  mbedtls_entropy_init(&entropy);
  mbedtls_ctr_drbg_init(&random);
  mbedtls_ssl_config_init(&config);
  mbedtls_x509_crt_init(&own);
  mbedtls_pk_init(&key);
  mbedtls_net_init(&listening);
  check(mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0), "seed");
  check(mbedtls_x509_crt_parse_file(&own, argv[1]), "certificate");
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  check(mbedtls_pk_parse_keyfile(&key, argv[2], NULL, mbedtls_ctr_drbg_random, &random), "key");
#else
  check(mbedtls_pk_parse_keyfile(&key, argv[2], NULL), "key");
#endif
  check(handfast_anchors_load(&anchors), "anchors");
  for (int i = 4; i < argc; i++) trust_file(&anchors, argv[i]);
  check(mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT),
        "defaults");
  mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random);
  check(mbedtls_ssl_conf_own_cert(&config, &own, &key), "own certificate");
  handfast_configure(&config, &anchors);
  check(mbedtls_net_bind(&listening, "127.0.0.1", "0", MBEDTLS_NET_PROTO_TCP), "bind");
  if (getsockname(listening.fd, (struct sockaddr *)&address, &length) != 0) return 1;
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    struct pollfd waiting[2] = {{.fd = 0, .events = POLLIN}, {.fd = listening.fd, .events = POLLIN}};
    mbedtls_net_context client;
    if (poll(waiting, 2, -1) < 0 || waiting[0].revents != 0) break;
    if (waiting[1].revents == 0) continue;
    mbedtls_net_init(&client);
    check(mbedtls_net_accept(&listening, &client, NULL, 0, NULL), "accept");
    serve(&config, &anchors, &client, strtoll(argv[3], NULL, 10));
    mbedtls_net_free(&client);
  }
  handfast_anchors_free(&anchors);
  mbedtls_net_free(&listening);
  mbedtls_ssl_config_free(&config);
  mbedtls_x509_crt_free(&own);
  mbedtls_pk_free(&key);
  mbedtls_ctr_drbg_free(&random);
  mbedtls_entropy_free(&entropy);
  return 0;
}
