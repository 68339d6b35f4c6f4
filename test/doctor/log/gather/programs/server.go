// A TLS server in Go: ca cert key version; prints PORT, then the errors of its handshakes.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
)

func main() {
	a := os.Args[1:]
	pem, _ := os.ReadFile(a[0])
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	pair, err := tls.LoadX509KeyPair(a[1], a[2])
	if err != nil {
		log.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	if a[3] == "1.3" {
		config.MinVersion = tls.VersionTLS13
	} else if a[3] == "1.2" {
		config.MaxVersion = tls.VersionTLS12
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("PORT", listener.Addr().(interface{ String() string }).String()[10:])
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "in") })}
	log.Fatal(server.Serve(listener))
}
