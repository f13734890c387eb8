package damage

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/testserver"
)

// silent accepts connections and answers what answer makes of the first bytes: nothing, if
// it is nil. got is called with each of them.
func silent(t *testing.T, answer []byte) (addr string, asked <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	got := make(chan string, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			go func() {
				b := make([]byte, 4096)
				for {
					n, err := c.Read(b)
					if err != nil {
						return
					}
					select {
					case got <- string(b[:n]):
					default:
					}
					if answer != nil && b[0]>>4 == 1 { // CONNECT
						_, _ = c.Write(answer)
					}
				}
			}()
		}
	}()
	return l.Addr().String(), got
}

// accepted is a CONNACK.
var accepted = []byte{0x20, 2, 0, 0}

// isSubscribe reports whether a packet is a SUBSCRIBE.
func isSubscribe(packet string) bool { return packet[0]>>4 == 8 }

// The connector stops at once when it is told to, whatever it waits for.
func TestAConnectorStopsWhateverItWaitsFor(t *testing.T) {
	mute, _ := silent(t, nil)
	for name, wait := range map[string]func(t *testing.T, env map[string]string) (ready func() bool){
		"the broker refuses connections": func(t *testing.T, env map[string]string) func() bool { return always },
		"the broker does not answer": func(t *testing.T, env map[string]string) func() bool {
			addr, asked := silent(t, nil)
			env["MQTT_URL"] = "tcp://" + addr
			return received(asked, func(string) bool { return true })
		},
		"the broker does not answer by TLS": func(t *testing.T, env map[string]string) func() bool {
			addr, asked := silent(t, nil)
			env["MQTT_URL"] = "ssl://" + addr
			return received(asked, func(string) bool { return true })
		},
		"the broker does not answer by websocket": func(t *testing.T, env map[string]string) func() bool {
			addr, asked := silent(t, nil)
			env["MQTT_URL"] = "ws://" + addr
			return received(asked, func(string) bool { return true })
		},
		"the broker does not confirm the first subscription": func(t *testing.T, env map[string]string) func() bool {
			addr, asked := silent(t, accepted)
			g := mqtttest.NewGateway(t)
			g.Deploy("f", map[string]string{"topic": "house/#"}, func(mqtttest.Call) (int, string) { return 200, "" })
			env["MQTT_URL"], env["GATEWAY_URL"] = "tcp://"+addr, g.URL
			return received(asked, isSubscribe)
		},
		"the gateway does not answer": func(t *testing.T, env map[string]string) func() bool {
			addr, asked := silent(t, nil)
			env["GATEWAY_URL"] = "http://" + addr
			return received(asked, func(string) bool { return true })
		},
		"the gateway fails": func(t *testing.T, env map[string]string) func() bool {
			g := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }))
			t.Cleanup(g.Close)
			env["GATEWAY_URL"] = g.URL
			return always
		},
		"the spool is full": func(t *testing.T, env map[string]string) func() bool {
			broker := testserver.OwnMosquitto(t, 0).Addr
			c := newConnector(t, broker, env["DATA_DIR"], true, map[string]string{"MQTT_CLIENT_ID": env["MQTT_CLIENT_ID"]})
			for i := range 40 {
				c.publish("house/x", body(fmt.Sprint("m", i)))
			}
			c.until("the spool is full", func() bool { return strings.Contains(c.read(c.log), "the spool is full") })
			c.stopsCleanly()
			env["MQTT_URL"] = "tcp://" + broker
			return always
		},
		"neither answers": func(t *testing.T, env map[string]string) func() bool {
			env["MQTT_URL"], env["GATEWAY_URL"] = "tcp://"+mute, "http://"+mute
			return always
		},
	} {
		t.Run(name, func(t *testing.T) {
			env := settings(t, t.TempDir())
			ready := wait(t, env)
			p := start(t, built(t, "./connectors/mqtt"), env)
			p.until("it serves", func() bool { return answers("http://" + env["LISTEN"] + "/healthz") })
			p.until("it waits", ready)
			p.stopsCleanly()
		})
	}
}

// The agent stops at once when it is told to, whatever it waits for.
func TestAnAgentStopsWhateverItWaitsFor(t *testing.T) {
	for name, answer := range map[string][]byte{"the broker does not answer": nil, "the broker confirms nothing": accepted} {
		t.Run(name, func(t *testing.T) {
			addr, asked := silent(t, answer)
			a := newAgent(t, t.TempDir(), "pi", addr, "20ms")
			a.serves()
			a.until("it waits", received(asked, func(packet string) bool { return answer == nil || isSubscribe(packet) }))
			a.stopsCleanly()
		})
	}
}

func always() bool { return true }

// received returns a func that reports whether such a packet has come.
func received(packets <-chan string, is func(string) bool) func() bool {
	return func() bool {
		for {
			select {
			case p := <-packets:
				if is(p) {
					return true
				}
			default:
				return false
			}
		}
	}
}

// SIGTERM in the middle of a start on a large spool ends it, and nothing is lost.
func TestAConnectorStopsWhileItStarts(t *testing.T) {
	broker := testserver.OwnMosquitto(t, 0).Addr
	made := madeConnector(t, broker)
	want := wholeMessages(t, made)
	for i := range 12 {
		p := start(t, built(t, "./connectors/mqtt"), settings(t, made))
		time.Sleep(time.Duration(i) * 3 * time.Millisecond) // somewhere in its start
		if code := p.stop(); code > 0 && !strings.Contains(p.read(p.errs), "stopped") {
			t.Errorf("exit code %d: %s", code, p.read(p.errs))
		}
	}
	c := newConnector(t, broker, made, false, nil)
	c.until("slow has all messages", func() bool { return c.slow.N() == len(want) })
	c.stopsCleanly()
	if c.fast.N() != 0 {
		t.Errorf("fast got %v, and had stored all before", c.fast.Seen())
	}
}

// While the disk is full, the connector starts, delivers what it has and stops. Once there
// is space again it goes on by itself, and nothing is lost that was acknowledged.
func TestAConnectorOnAFullDisk(t *testing.T) {
	broker := testserver.OwnMosquitto(t, 0).Addr
	disk := testserver.SmallDisk(t, 4)
	same := map[string]string{"MQTT_CLIENT_ID": "connector-on-a-full-disk"} // its session keeps what is not acknowledged
	c := newConnector(t, broker, disk, true, same)
	for i := range 5 {
		c.publish("house/x", body(fmt.Sprint("a", i)))
	}
	c.until("fast has the first messages", func() bool { return c.fast.N() == 5 })
	free := fill(t, disk)
	for i := range 5 {
		c.publish("house/x", body(fmt.Sprint("b", i)))
	}
	c.until("the connector notices", func() bool { return strings.Contains(c.read(c.log), "the spool cannot be written") })
	if code := c.stop(); code != 0 {
		t.Errorf("exit code %d: %s", code, c.read(c.errs))
	}
	c = newConnector(t, broker, disk, false, same)
	c.until("slow has the first messages", func() bool { return c.slow.N() == 5 })
	c.until("the connector notices at its start", func() bool { return strings.Contains(c.read(c.log), "the spool cannot be written") })
	free()
	c.until("both have the other messages", func() bool { return has(&c.fast, "b0", "b1", "b2", "b3", "b4") && c.slow.N() == 10 })
	c.stopsCleanly()
}

// A connector whose disk is full from the first start on goes on, too, when there is space.
func TestAConnectorOnADiskThatWasFullBefore(t *testing.T) {
	broker := testserver.OwnMosquitto(t, 0).Addr
	disk := testserver.SmallDisk(t, 4)
	free := fill(t, disk)
	c := newConnector(t, broker, disk, false, nil)
	c.publish("house/x", body("a0"))
	c.until("the connector notices", func() bool { return strings.Contains(c.read(c.log), "the spool cannot be written") })
	free()
	c.until("both have the message", func() bool { return c.fast.N() == 1 && c.slow.N() == 1 })
	c.stopsCleanly()
}
