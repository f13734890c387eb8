package local

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/hearth-home/hearth/local/gateway"
	"github.com/hearth-home/hearth/shared/testserver"
)

func TestAPortIsANumber(t *testing.T) {
	for environ, want := range map[string]string{
		"PORT=abc": `PORT is "abc": write a number from 1 to 65534`, "PORT=65535": "from 1 to 65534", "PORT=-1": "from 1 to 65534", "PORT=8080 ": "PORT is",
		"MQTT_PORT=mqtt": `MQTT_PORT is "mqtt": write a number from 1 to 65535`, "MQTT_PORT=65536": "from 1 to 65535",
		"PORT=": "", "PORT=65534": "", "MQTT_PORT=65535": "",
	} {
		err := tinyInstallation(t, environ).checkAddresses()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", environ, err, want)
		}
	}
}

// The connector takes the port after the page's.
func TestTwoPartsCannotHaveOnePort(t *testing.T) {
	for _, c := range []struct {
		environ []string
		want    string
	}{
		{[]string{"PORT=18931", "MQTT_PORT=18932"}, "MQTT_PORT=18932 is also PORT+1, the connector's: set another, such as MQTT_PORT="},
		{[]string{"PORT=18931", "MQTT_PORT=18931"}, "MQTT_PORT=18931 is also PORT, the page's: set another, such as MQTT_PORT="},
		{[]string{"PORT=1882"}, "MQTT_PORT=1883 is also PORT+1"},
		{[]string{"PORT=18931", "MQTT_PORT=18933"}, ""},
		{[]string{"PORT=1882", "MQTT_URL=broker"}, ""},
		{[]string{"MQTT_PORT=many", "MQTT_URL=broker"}, ""}, // it has no broker of its own
		{[]string{"MQTT_URL=foo://broker"}, "MQTT_URL: its scheme is none of"},
		{nil, ""},
	} {
		h := tinyInstallation(t, c.environ...)
		err := h.checkAddresses()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.environ, err, c.want)
		}
		if err == nil {
			continue
		}
		_, other, proposed := strings.Cut(err.Error(), "such as MQTT_PORT=")
		if !proposed {
			continue
		}
		other = "MQTT_PORT=" + other
		if err := tinyInstallation(t, append(c.environ, other)...).checkAddresses(); err != nil {
			t.Errorf("%q with the proposed %s: %v", c.environ, other, err)
		}
	}
}

// The proposed ports are free: a platform starts with them.
func TestAPlatformBesideAnotherIsToldFreePorts(t *testing.T) {
	first := launch(t, repository(t))
	_, page, err := net.SplitHostPort(first.server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	_, broker, err := net.SplitHostPort(first.broker.Addr())
	if err != nil {
		t.Fatal(err)
	}
	for range 5 { // another process may take a proposed port before the platform does
		h := tinyInstallation(t, "PORT="+page, "MQTT_PORT="+broker, "EDGE=off")
		err = h.Up(t.Context())
		if err == nil || !strings.Contains(err.Error(), "free ports: PORT=") || !strings.Contains(err.Error(), " MQTT_PORT=") {
			t.Fatal(err)
		}
		_, assignments, _ := strings.Cut(err.Error(), "free ports: ")
		var beside *running
		beside, err = tryLaunch(t, tinyOnly, repository(t), strings.Fields(assignments)...)
		if err == nil {
			if want, _ := beside.pagePort(); beside.server.Addr != address(want) {
				t.Errorf("it listens at %s, not at port %d", beside.server.Addr, want)
			}
			return
		}
		if !errors.Is(err, gateway.ErrInUse) && !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	t.Fatal(err)
}

func TestABusyBrokersPortSaysWhatToDo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	err = tinyInstallation(t, "PORT=0", "MQTT_PORT="+port, "EDGE=off").Up(t.Context())
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:"+port+" is in use: is another broker running? Use it with MQTT_URL=tcp://127.0.0.1:"+port+", or choose a free port: MQTT_PORT=") {
		t.Error(err)
	}
}

// A wrong address is an error of the commands that need it, and of no other.
func TestAWrongAddressFailsOnlyWhatNeedsIt(t *testing.T) {
	for _, c := range []struct {
		environ                    string
		gateway, connector, broker string // the errors
	}{
		{"PORT=many", "PORT is", "PORT is", ""},
		{"PORT=0", "is hearth up running?", "is hearth up running?", "is hearth up running?"},
		{"MQTT_PORT=many", "", "", "MQTT_PORT is"},
		{"MQTT_URL=foo://broker", "", "", "MQTT_URL: its scheme"},
		{"MQTT_PORT=0", "", "", "is hearth up running?"},
	} {
		h := tinyInstallation(t, c.environ)
		if names, err := h.Names(); err != nil || len(names.Sources) == 0 {
			t.Errorf("%s: %+v, %v", c.environ, names, err)
		}
		if _, err := h.RunOnce(t.Context(), "weather", true); err != nil {
			t.Errorf("%s: a dry run: %v", c.environ, err)
		}
		if _, err := h.Functions(t.Context()); err != nil {
			t.Errorf("%s: functions: %v", c.environ, err)
		}
		_, gateway := h.GatewayURL()
		_, connector := h.Connector()
		_, broker := h.listenerConfig()
		for want, err := range map[*string]error{&c.gateway: gateway, &c.connector: connector, &c.broker: broker} {
			if (err == nil) != (*want == "") || err != nil && !strings.Contains(err.Error(), *want) {
				t.Errorf("%s: %v, want %q", c.environ, err, *want)
			}
		}
	}
	http.DefaultClient.CloseIdleConnections()
	r := launch(t, repository(t))
	h, err := Open(r.root, []string{"PORT=many", "MQTT_PORT=many"}, &testserver.Output{})
	if err != nil {
		t.Fatal(err)
	}
	_, gateway := h.GatewayURL()
	_, connector := h.Connector()
	_, broker := h.listenerConfig()
	if gateway != nil || connector != nil || broker != nil {
		t.Errorf("beside a platform: %v, %v, %v", gateway, connector, broker)
	}
}

// The search for a free port ends at the last one and goes on at the first.
func TestTheProposedPortsExist(t *testing.T) {
	for page, most := range map[int]int{0: 65534, 8080: 65534, 65533: 65534, 65534: 65534} {
		h := tinyInstallation(t, "PORT="+strconv.Itoa(page), "MQTT_PORT=65535")
		assignments := strings.Fields(h.freePorts())
		n, err := strconv.Atoi(strings.TrimPrefix(assignments[0], "PORT="))
		if err != nil || n < 1 || n > most || n == page || n == page+1 {
			t.Errorf("with PORT=%d: %s", page, assignments)
		}
		if err := tinyInstallation(t, assignments...).checkAddresses(); err != nil {
			t.Errorf("with PORT=%d the proposed %s: %v", page, assignments, err)
		}
	}
	if n := search(65535, 1883, 65535, func(n int) bool { return n < 65535 }); n != 1883 {
		t.Errorf("after the last port: %d", n)
	}
	if n := search(80, 1883, 65535, func(int) bool { return false }); n != 0 {
		t.Errorf("without a free port: %d", n)
	}
}

// It has neither a connector nor a broker.
func TestAGatewayAloneIsToldAFreePortForItselfOnly(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	h := tinyInstallation(t, "PORT="+port, "MQTT_PORT="+port)
	err = h.Gateway(t.Context(), []string{"weather=http://127.0.0.1:1"})
	if err == nil || !strings.Contains(err.Error(), "free ports: PORT=") || strings.Contains(err.Error(), "MQTT_PORT") {
		t.Error(err)
	}
}
