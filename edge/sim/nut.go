package sim

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/hearth-home/hearth/edge/driver"
)

// NUT is a upsd with one UPS. Its faults: NACK makes its data stale, WarmUp disconnects its
// driver, Torn cuts lists, Noise puts invalid lines into them, Unplugged closes connections
// at once.
type NUT struct {
	Faults
	name         string
	clock        driver.Clock
	mu           sync.Mutex
	still        frozen
	status       string
	charge, load wave
	volts        wave
}

var _ = simulate("nut", simulator{
	device: "rack-ups",
	server: func(seed uint64, clock driver.Clock) server { return NewNUT("", seed, clock) },
})

// NewNUT returns a server whose UPS has this name. If name is empty, the UPS answers to
// any name.
func NewNUT(name string, seed uint64, clock driver.Clock) *NUT {
	rng := newRand(seed)
	return &NUT{
		name: name, clock: clock, status: "OL CHRG",
		charge: newWave(rng, 96, 3), load: newWave(rng, 23, 9), volts: newWave(rng, 230, 4),
	}
}

// SetStatus sets ups.status: "OB DISCHRG" is a power cut.
func (n *NUT) SetStatus(status string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.status = status
}

// Serve serves on addr until ctx ends. Port 0 is a free port.
func (n *NUT) Serve(ctx context.Context, addr string) (at string, done <-chan struct{}, err error) {
	return serve(ctx, addr, func(c net.Conn) { n.serveConn(ctx, c) })
}

func (n *NUT) serveConn(ctx context.Context, c net.Conn) {
	in := bufio.NewScanner(c)
	for in.Scan() {
		hit := n.nextFrame()
		if hit&Unplugged != 0 {
			return
		}
		if hit&Slow != 0 && n.clock.Wait(ctx, slowDelay) != nil {
			return
		}
		answer := n.answer(strings.Fields(in.Text()), hit)
		if hit&Torn != 0 {
			answer = answer[:len(answer)/2]
		}
		if _, err := c.Write([]byte(answer)); err != nil || hit&Torn != 0 || in.Text() == "LOGOUT" {
			return
		}
	}
}

func (n *NUT) answer(q []string, hit Fault) string {
	switch {
	case len(q) == 1 && q[0] == "LOGOUT":
		return "OK Goodbye\n"
	case len(q) == 2 && q[0] == "LIST" && q[1] == "UPS":
		return fmt.Sprintf("BEGIN LIST UPS\nUPS %s \"rack \\\"main\\\" UPS\"\nEND LIST UPS\n", cmp.Or(n.name, "ups"))
	case len(q) != 3 || q[0] != "LIST" || q[1] != "VAR":
		return "ERR UNKNOWN-COMMAND\n"
	case n.name != "" && q[2] != n.name:
		return "ERR UNKNOWN-UPS\n"
	case hit&NACK != 0:
		return "ERR DATA-STALE\n"
	case hit&WarmUp != 0:
		return "ERR DRIVER-NOT-CONNECTED\n"
	}
	return n.list(q[2], hit)
}

func (n *NUT) list(name string, hit Fault) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	t := n.still.time(n.clock.Now(), &n.Faults)
	var b strings.Builder
	fmt.Fprintf(&b, "BEGIN LIST VAR %s\n", name)
	if hit&Noise != 0 {
		b.WriteString("\x00\xffVAR \"x\n")
	}
	load := n.load.orHigh(84, &n.Faults, t)
	for _, v := range [][2]string{
		{"battery.charge", fmt.Sprintf("%.0f", n.charge.at(t))},
		{"battery.runtime", fmt.Sprintf("%.0f", 90000/load)},
		{"battery.voltage", "13.6"},
		{"input.voltage", fmt.Sprintf("%05.1f", n.volts.at(t))},
		{"output.voltage", fmt.Sprintf("%.1f", n.volts.at(t))},
		{"ups.load", fmt.Sprintf("%.0f", load)},
		{"ups.mfr", `say \"CyberPower\"`},
		{"ups.realpower.nominal", "900"},
		{"ups.status", n.status},
		{"ups.temperature", "N/A"},
		{"ups.test.result", "Done and passed"},
	} {
		fmt.Fprintf(&b, "VAR %s %s \"%s\"\n", name, v[0], v[1])
	}
	fmt.Fprintf(&b, "END LIST VAR %s\n", name)
	return b.String()
}
