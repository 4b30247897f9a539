// A plain TCP relay: two io.Copy a connection, as kube-proxy's userspace mode had it. Usage: relay LISTEN BACKEND
package main

import (
	"io"
	"log"
	"net"
	"os"
)

func pump(to, from *net.TCPConn, done chan<- struct{}) {
	_, _ = io.Copy(to, from)
	_ = to.CloseWrite()
	done <- struct{}{}
}

func relay(client *net.TCPConn, address string) {
	defer client.Close()
	backend, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	server := backend.(*net.TCPConn)
	defer server.Close()
	done := make(chan struct{}, 2)
	go pump(server, client, done)
	go pump(client, server, done)
	<-done
	<-done
}

func main() {
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go relay(client.(*net.TCPConn), os.Args[2])
	}
}
