/* What the sketch asks of the core for ESP32, of WiFiClientSecure and of PubSubClient, by their names, with Debian's mbedTLS below. */
#pragma once
#include <cstdio>
#include <cstdlib>
#include <string>
#include "../session.h"

inline void delay(unsigned long) {}

struct SerialPort {
  void begin(unsigned long) {}
  void print(const char *text) { std::fputs(text, stdout); }
  void println(const char *text) { std::puts(text); }
  void println(int number) { std::printf("%d\n", number); }
};
inline SerialPort Serial;

enum { WL_CONNECTED = 3 };
struct Radio {
  void begin(const char *, const char *) {}
  int status() { return WL_CONNECTED; }
};
inline Radio WiFi;

class WiFiClientSecure {
 public:
  void setCACert(const char *text) { ca = text; }
  void setCertificate(const char *text) { certificate = text; }
  void setPrivateKey(const char *text) { key = text; }
  int connect(const char *host, uint16_t port) {
    return session_open(&session, host, std::to_string(port).c_str(), ca, certificate, key, nullptr, 0) == 0;
  }
  struct session session;

 private:
  const char *ca = nullptr, *certificate = nullptr, *key = nullptr;
};

class PubSubClient {
 public:
  explicit PubSubClient(WiFiClientSecure &network) : network(network) {}
  PubSubClient &setServer(const char *name, uint16_t number) {
    host = name;
    port = number;
    return *this;
  }
  bool connect(const char *id) {
    result = network.connect(host, port) ? mqtt_connect(&network.session, id) : -2;
    return result == 0;
  }
  bool connected() { return result == 0; }
  bool loop() { return connected(); }
  int state() { return result; }
  bool publish(const char *topic, const char *payload) { return mqtt_publish(&network.session, topic, payload, 0) == 0; }
  void disconnect() { mqtt_disconnect(&network.session); }

 private:
  WiFiClientSecure &network;
  const char *host = nullptr;
  uint16_t port = 0;
  int result = -1;
};
