package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"log"
	"math/big"
	"net"
	"net/http"
	"time"
)

const kubeletPort = 10250

// serveKubelet answers what the API server passes on to a kubelet: logs, which the tests of mirrored requests read, and commands in
// Pods, which those of meshes run.
func (n *Node) serveKubelet() {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", n.serveLog)
	routes.HandleFunc("/exec/{namespace}/{pod}/{container}", n.serveExec)
	server := &http.Server{
		Addr:              net.JoinHostPort(n.address.String(), "10250"),
		Handler:           routes,
		ReadHeaderTimeout: 10 * time.Second,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{selfSigned(n.address.AsSlice())}},
	}
	log.Fatal(server.ListenAndServeTLS("", ""))
}

// selfSigned is enough of a certificate: without --kubelet-certificate-authority, the API server does not verify it.
func selfSigned(address net.IP) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(now.UnixNano()), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), IPAddresses: []net.IP{address}}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		log.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{certificate}, PrivateKey: key}
}
