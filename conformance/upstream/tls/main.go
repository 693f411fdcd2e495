// A client of TLS: that of Go's standard library, as most clients of gRPC and of Kubernetes are.
//
// It connects to an address, asks for a server name and trusts one certificate. With -stream it says that, and closes its
// side; otherwise it sends a request. It prints what was agreed on and what came back.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
)

func main() {
	address := flag.String("address", "", "where to connect to")
	name := flag.String("name", "", "the server name to ask for")
	trust := flag.String("trust", "", "a file with the certificate to trust, in DER")
	stream := flag.String("stream", "", "what to say in the place of a request")
	flag.Parse()

	der, err := os.ReadFile(*trust)
	if err != nil {
		log.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	config := &tls.Config{ServerName: *name, RootCAs: roots}
	if *stream == "" {
		request(*address, *name, config)
	} else {
		say(*address, *stream, config)
	}
}

func request(address, name string, config *tls.Config) {
	dialer := &net.Dialer{}
	transport := &http.Transport{
		TLSClientConfig:   config,
		ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, address)
		},
	}
	client := &http.Client{Transport: transport}
	answer, err := client.Get("https://" + name + "/hello")
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		log.Fatal(err)
	}
	fmt.Println(tls.VersionName(answer.TLS.Version), answer.Proto, answer.StatusCode)
}

func say(address, text string, config *tls.Config) {
	connection, err := tls.Dial("tcp", address, config)
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, text); err != nil {
		log.Fatal(err)
	}
	if err := connection.CloseWrite(); err != nil {
		log.Fatal(err)
	}
	heard, err := io.ReadAll(connection)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tls.VersionName(connection.ConnectionState().Version), string(heard))
}
