// A TLS client in Go: host port ca cert key version name alpn
package main

import (
	"crypto/tls"
	"crypto/x509"
	"log"
	"net"
	"os"
	"time"
)

func main() {
	a := os.Args[1:]
	pem, err := os.ReadFile(a[2])
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	config := &tls.Config{RootCAs: roots, ServerName: a[6]}
	if a[3] != "" {
		pair, err := tls.LoadX509KeyPair(a[3], a[4])
		if err != nil {
			log.Fatalf("load key pair: %v", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if a[5] == "1.2" {
		config.MaxVersion = tls.VersionTLS12
	}
	if len(a) > 7 && a[7] != "" {
		config.NextProtos = []string{a[7]}
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	connection, err := tls.DialWithDialer(dialer, "tcp", net.JoinHostPort(a[0], a[1]), config)
	if err != nil {
		log.Fatalf("network Error : %v", err)
	}
	connection.Write([]byte{0x10, 0x16, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 10, 'd', 'e', 'v', 'i', 'c', 'e', '-', '0', '0', '1'})
	connection.SetReadDeadline(time.Now().Add(3 * time.Second))
	if _, err := connection.Read(make([]byte, 100)); err != nil {
		log.Fatalf("read: %v", err)
	}
	log.Print("connected")
}
