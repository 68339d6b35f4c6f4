/* The part of a board for the sketch: setup once, loop once. */
#include "Arduino.h"
#include SKETCH

int main() {
  setup();
  loop();
  if (!client.connected()) return 1;
  client.disconnect();
  return 0;
}
