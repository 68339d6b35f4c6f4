/* The names and types of the core for ESP8266 that the sketch uses, for a compiler's judgement alone. */
#pragma once
#include <cstddef>
#include <cstdint>

void delay(unsigned long);
void configTime(int, int, const char *);
enum { WL_CONNECTED = 3, BR_KEYTYPE_RSA = 1, BR_KEYTYPE_EC = 2, BR_KEYTYPE_KEYX = 0x10, BR_KEYTYPE_SIGN = 0x20 };
struct SerialPort {
  void begin(unsigned long);
  void print(const char *);
  void println(const char *);
  void println(int);
};
extern SerialPort Serial;
struct Radio {
  void begin(const char *, const char *);
  int status();
};
extern Radio WiFi;
namespace BearSSL {
struct X509List {
  explicit X509List(const char *);
};
struct PrivateKey {
  explicit PrivateKey(const char *);
};
struct WiFiClientSecure {
  void setTrustAnchors(const X509List *);
  void setClientRSACert(const X509List *, const PrivateKey *);
  void setClientECCert(const X509List *, const PrivateKey *, unsigned, unsigned);
};
}
using BearSSL::WiFiClientSecure;
struct PubSubClient {
  explicit PubSubClient(BearSSL::WiFiClientSecure &);
  PubSubClient &setServer(const char *, uint16_t);
  bool connect(const char *);
  bool connected();
  bool loop();
  int state();
  bool publish(const char *, const char *);
};
