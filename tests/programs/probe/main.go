// probe finds out what a pod can do on its network.
//
//	probe hear GROUP:PORT         prints every datagram that is sent to a multicast group
//	probe shout GROUP:PORT TEXT   sends TEXT to it, twice a second, until it is ended
package main

import (
	"fmt"
	"net"
	"os"
	"time"
)

// A datagram is as good as lost by nature, so it is sent again and again; a listener may also come later.
const again = 500 * time.Millisecond

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(words []string) error {
	if len(words) < 2 {
		return fmt.Errorf("usage: probe hear GROUP:PORT | probe shout GROUP:PORT TEXT")
	}
	group, err := net.ResolveUDPAddr("udp4", words[1])
	if err != nil {
		return err
	}
	switch {
	case words[0] == "hear":
		return hear(group)
	case words[0] == "shout" && len(words) == 3:
		return shout(group, words[2])
	}
	return fmt.Errorf("unknown words %q", words)
}

func hear(group *net.UDPAddr) error {
	socket, err := net.ListenMulticastUDP("udp4", nil, group)
	if err != nil {
		return err
	}
	for buffer := make([]byte, 1500); ; {
		length, sender, err := socket.ReadFromUDP(buffer)
		if err != nil {
			return err
		}
		fmt.Printf("%s from %s\n", buffer[:length], sender.IP)
	}
}

func shout(group *net.UDPAddr, text string) error {
	socket, err := net.DialUDP("udp4", nil, group)
	if err != nil {
		return err
	}
	for ; ; time.Sleep(again) {
		if _, err := socket.Write([]byte(text)); err != nil {
			return err
		}
	}
}
