package local

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"github.com/hearth-home/hearth/local/gateway"
)

// ports returns the ports of the page and of the embedded broker; 0: any free one. The
// connector takes the port after the page's. The error says what to write.
func (h *Installation) ports() (page, broker int, err error) {
	if page, err = port(h.vars, "PORT", 8080, 65534); err != nil {
		return page, broker, err
	}
	usual := 1883
	if page == 0 {
		usual = 0 // with PORT=0 every port is a free one
	}
	broker, err = port(h.vars, "MQTT_PORT", usual, 65535)
	return page, broker, err
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

// checkPorts returns an error if two parts of the platform would listen at the same port.
func (h *Installation) checkPorts() error {
	page, broker, err := h.ports()
	if err != nil || page == 0 || h.userBroker() {
		return err
	}
	whose := map[int]string{page: "PORT, the page's", page + 1: "PORT+1, the connector's"}[broker]
	if whose == "" {
		return nil
	}
	return fmt.Errorf("the broker's port MQTT_PORT=%d is also %s: set another, such as MQTT_PORT=%d", broker, whose, freeBroker(broker, page))
}

// withFreePorts adds to an error about a port in use which variables choose free ones.
func (h *Installation) withFreePorts(err error) error {
	if !errors.Is(err, gateway.ErrInUse) {
		return err
	}
	return fmt.Errorf("%w: stop it, or choose free ports: %s", err, h.freePorts())
}

// freePorts returns assignments of variables with which another platform could start now.
func (h *Installation) freePorts() string {
	page, broker, err := h.ports()
	if err != nil {
		return "PORT and MQTT_PORT"
	}
	for page = max(page, 8078) + 2; page < 65534 && !(free(page) && free(page+1)); page += 2 {
	}
	out := fmt.Sprintf("PORT=%d", page)
	if n := freeBroker(broker, page); n != broker && !h.userBroker() {
		out += fmt.Sprintf(" MQTT_PORT=%d", n)
	}
	return out
}

// freeBroker returns a free port for the broker, from the wanted one on, that is neither
// the page's nor the connector's.
func freeBroker(wanted, page int) int {
	for n := max(wanted, 1883); n < 65535; n++ {
		if n != page && n != page+1 && free(n) {
			return n
		}
	}
	return wanted
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
func brokerInUse(err error, page, broker int) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		return err
	}
	return fmt.Errorf("%s is in use: is another broker running? Use it with MQTT_URL=tcp://%[1]s, or choose a free port: MQTT_PORT=%d", address(broker), freeBroker(broker, page))
}
