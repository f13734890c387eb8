package local

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"github.com/hearth-home/hearth/local/gateway"
)

// pagePort returns the port of the page and the gateway; 0: any free one. The connector
// takes the next one. The error says what to write.
func (h *Installation) pagePort() (int, error) { return port(h.vars, "PORT", 8080, mostPage) }

const mostPage = 65534 // the connector's is the next

// connectorPort returns the port of the connector's API beside a page.
func connectorPort(page int) int {
	if page == 0 {
		return 0
	}
	return page + 1
}

// brokerPort is pagePort for the embedded broker.
func (h *Installation) brokerPort() (int, error) {
	usual := 1883
	if page, err := h.pagePort(); err == nil && page == 0 {
		usual = 0 // with PORT=0 every port is a free one
	}
	return port(h.vars, "MQTT_PORT", usual, 65535)
}

// addressOf returns the address, host:port, of a part of the platform that does not run. It
// is an error if the part would take any free port.
func addressOf(port int, err error) (string, error) {
	if err == nil && port == 0 {
		err = errors.New("is hearth up running? With PORT=0 or MQTT_PORT=0 an address is known only while it runs")
	}
	return address(port), err
}

// port parses a variable; usual is its value if it is not set.
func port(vars map[string]string, name string, usual, most int) (int, error) {
	if vars[name] == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(vars[name])
	if err != nil || n < 0 || n > most {
		return 0, fmt.Errorf("%s is %q: write a number from 1 to %d", name, vars[name], most)
	}
	return n, nil
}

// checkAddresses returns an error if a port or MQTT_URL is wrong, or if two parts of the
// platform would listen at the same port.
func (h *Installation) checkAddresses() error {
	page, err := h.pagePort()
	if err != nil || h.userBroker() {
		return errors.Join(err, h.badBroker)
	}
	broker, err := h.brokerPort()
	if err != nil || page == 0 {
		return err
	}
	whose := map[int]string{page: "PORT, the page's", page + 1: "PORT+1, the connector's"}[broker]
	if whose == "" {
		return nil
	}
	return fmt.Errorf("the broker's port MQTT_PORT=%d is also %s: set another, such as MQTT_PORT=%d", broker, whose, freeBroker(broker, page))
}

// withFreePorts adds to an error about a port in use which variables choose free ones.
func withFreePorts(err error, assignments string) error {
	if !errors.Is(err, gateway.ErrInUse) {
		return err
	}
	return fmt.Errorf("%w: stop it, or choose free ports: %s", err, assignments)
}

// freePorts returns assignments of variables with which another platform could start now.
func (h *Installation) freePorts() string {
	page, err := h.pagePort()
	broker, brokerErr := h.brokerPort()
	if err != nil || brokerErr != nil && !h.userBroker() {
		return "PORT and MQTT_PORT"
	}
	page = freePage(page, func(n int) bool { return free(n) && free(connectorPort(n)) })
	out := fmt.Sprintf("PORT=%d", page)
	if h.userBroker() {
		return out
	}
	if n := freeBroker(broker, page); n != broker {
		out += fmt.Sprintf(" MQTT_PORT=%d", n)
	}
	return out
}

// freePage returns a port for the page, from 8080 on, that is ok. It is not the taken one, nor
// that of the connector beside it, which may not listen yet.
func freePage(taken int, ok func(port int) bool) int {
	return search(taken+2, 8080, mostPage, func(n int) bool { return n != taken && n != taken+1 && ok(n) })
}

// freeBroker returns a free port for the broker, from the wanted one on, that is neither
// the page's nor the connector's.
func freeBroker(wanted, page int) int {
	return search(wanted, 1883, 65535, func(n int) bool { return n != page && n != connectorPort(page) && free(n) })
}

// search returns the first port from begin on that is ok. After the last one it goes on at
// the first. If none is ok, it returns 0, with which a variable chooses any free port.
func search(begin, first, last int, ok func(port int) bool) int {
	n := begin
	for range last - first + 1 {
		if n < first || n > last {
			n = first
		}
		if ok(n) {
			return n
		}
		n++
	}
	return 0
}

// free reports whether nothing listens at a port of this machine.
func free(port int) bool {
	l, err := net.Listen("tcp", address(port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// address returns the address of a port, host:port. The platform listens on 127.0.0.1 only.
func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// brokerInUse says what to do if the embedded broker's port is in use.
func (h *Installation) brokerInUse(err error, broker int) error {
	page, wrong := h.pagePort()
	if !errors.Is(err, syscall.EADDRINUSE) || wrong != nil {
		return err
	}
	return fmt.Errorf("%s is in use: is another broker running? Use it with MQTT_URL=tcp://%[1]s, or choose a free port: MQTT_PORT=%d", address(broker), freeBroker(broker, page))
}
