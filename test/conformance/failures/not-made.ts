/** Reasons that cannot be made here, and why; each is still named where a program prints it (`test/doctor/log`). */
export const notMade: Readonly<Record<number, string>> = {
  26: 'a broker that has lost its key at a reload: Mosquitto 2.0.11 goes on with the old one',
  33: 'a client of Java: no runtime is installed for the tests',
  35: 'a name that was not set: mbedTLS 4 asks for it, and Debian has 2.28',
  50: 'a handshake that takes longer than its time: the time is 20 s, and `test/gate` lets a clock of its own run',
  51: 'a device without memory: the programs here have enough, and fail elsewhere first when it is taken from them',
}
