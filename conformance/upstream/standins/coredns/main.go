// In place of CoreDNS, which suite v1.6.1 has behind UDPRoutes: answers each query with its own question and no records.
package main

import (
	"fmt"
	"log"
	"net"
)

const header = 12 // the octets before the question

func main() {
	socket, err := net.ListenUDP("udp", &net.UDPAddr{Port: 53})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening at port 53, UDP")
	message := make([]byte, 1500)
	for {
		length, from, err := socket.ReadFromUDP(message)
		if err != nil || length <= header {
			continue
		}
		end := header
		for end < length && message[end] != 0 { // a name is labels, each behind its length, up to an empty one
			end += 1 + int(message[end])
		}
		end = min(end+5, length) // and behind it are type and class
		message[2] |= 0x84       // an answer, by an authority
		message[3] = 0x80        // no error
		message[4], message[5] = 0, 1
		clear(message[6:header])
		fmt.Printf("query %x from %s\n", message[:2], from)
		_, _ = socket.WriteToUDP(message[:end], from)
	}
}
