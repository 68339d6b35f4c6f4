// Connects as this device and sends a reading every ten seconds, on ESP32 (mbedTLS) and ESP8266 (BearSSL).
// Libraries: PubSubClient.
#include "credentials.h"

#if defined(ESP8266)
#include <ESP8266WiFi.h>
#include <WiFiClientSecure.h>
#include <time.h>
#else
#include <WiFi.h>
#include <WiFiClientSecure.h>
#endif
#include <PubSubClient.h>

const char *wifiName = "your Wi-Fi";
const char *wifiPassword = "its password";

#if defined(ESP8266)
BearSSL::X509List roots(ca_pem);
BearSSL::X509List certificate(client_cert_pem);
BearSSL::PrivateKey key(private_key_pem);
BearSSL::WiFiClientSecure network;
#else
WiFiClientSecure network;
#endif
PubSubClient client(network);

// Never setInsecure(): then anybody could be the hub.
void useCredentials() {
#if defined(ESP8266)
  // BearSSL looks at dates, so the clock has to be right first.
  configTime(0, 0, "pool.ntp.org");
  while (time(nullptr) < 1700000000) delay(100);
  network.setTrustAnchors(&roots);
#if DEVICE_KEY_IS_RSA
  network.setClientRSACert(&certificate, &key);
#else
  network.setClientECCert(&certificate, &key, BR_KEYTYPE_SIGN, DEVICE_ISSUER_IS_RSA ? BR_KEYTYPE_RSA : BR_KEYTYPE_EC);
#endif
#else
  network.setCACert(ca_pem);
  network.setCertificate(client_cert_pem);
  network.setPrivateKey(private_key_pem);
#endif
}

void setup() {
  Serial.begin(115200);
  WiFi.begin(wifiName, wifiPassword);
  while (WiFi.status() != WL_CONNECTED) delay(100);
  useCredentials();
  client.setServer("@HOST@", @PORT@);
}

void loop() {
  if (!client.connected() && !client.connect("@ID@")) {
    // 1 to 5 come from the hub, 5 being "not authorized"; -2 is the network or TLS.
    Serial.print("not connected: ");
    Serial.println(client.state());
    delay(5000);
    return;
  }
  client.loop();
  if (client.publish("devices/@ID@/messages/events/", "{\"temperature\":21}")) Serial.println("sent");
  delay(10000);
}
