/* A TLS client with wolfSSL: host port ca cert key version name. */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void fail(const char *what, int code) {
  char text[WOLFSSL_MAX_ERROR_SZ];
  printf("%s error %d, %s\n", what, code, wolfSSL_ERR_error_string((unsigned long)code, text));
  exit(1);
}

static int secret(char *at, int size, int use, void *unused) {
  (void)use; (void)unused;
  strncpy(at, "Wrong-one-1", (size_t)size);
  return 11;
}

int main(int argc, char **a) {
  if (argc < 8) return 2;
  wolfSSL_Init();
  WOLFSSL_CTX *ctx = wolfSSL_CTX_new(!strcmp(a[6], "1.2") ? wolfTLSv1_2_client_method() : wolfSSLv23_client_method());
  wolfSSL_CTX_set_default_passwd_cb(ctx, secret);
  wolfSSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
  int r = wolfSSL_CTX_load_verify_locations(ctx, a[3], NULL);
  if (r != SSL_SUCCESS) fail("wolfSSL_CTX_load_verify_locations", r);
  if (*a[4]) {
    if ((r = wolfSSL_CTX_use_certificate_chain_file(ctx, a[4])) != SSL_SUCCESS) fail("wolfSSL_CTX_use_certificate_chain_file", r);
    if ((r = wolfSSL_CTX_use_PrivateKey_file(ctx, a[5], SSL_FILETYPE_PEM)) != SSL_SUCCESS) fail("wolfSSL_CTX_use_PrivateKey_file", r);
    if ((r = wolfSSL_CTX_check_private_key(ctx)) != SSL_SUCCESS) fail("wolfSSL_CTX_check_private_key", r);
  }
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  if (getaddrinfo(a[1], a[2], &hints, &found) != 0) { perror("getaddrinfo"); return 1; }
  int s = socket(found->ai_family, SOCK_STREAM, 0);
  if (connect(s, found->ai_addr, found->ai_addrlen) != 0) { perror("connect"); return 1; }
  WOLFSSL *ssl = wolfSSL_new(ctx);
  wolfSSL_set_fd(ssl, s);
  wolfSSL_check_domain_name(ssl, a[7]);
  if (wolfSSL_connect(ssl) != SSL_SUCCESS) {
    int code = wolfSSL_get_error(ssl, 0);
    WOLFSSL_ALERT_HISTORY h;
    if (wolfSSL_get_alert_history(ssl, &h) == SSL_SUCCESS && h.last_rx.code > 0) printf("wolfSSL last alert received: level %d, code %d\n", h.last_rx.level, h.last_rx.code);
    fail("wolfSSL_connect", code);
  }
  char hello[] = {0x10, 0x16, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 10, 'd', 'e', 'v', 'i', 'c', 'e', '-', '0', '0', '1'};
  wolfSSL_write(ssl, hello, sizeof hello);
  if ((r = wolfSSL_read(ssl, hello, sizeof hello)) <= 0) fail("wolfSSL_read", wolfSSL_get_error(ssl, r));
  return 0;
}
