package damage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/free"
)

// readings collects the readings of a node that reach the broker, by boot and number.
type readings struct {
	mu   sync.Mutex
	seen map[string]int
}

func number(boot string, seq uint64) string { return fmt.Sprint(boot, " ", seq) }

// subscribed returns the readings of a node from now on.
func subscribed(t *testing.T, broker, node string) *readings {
	t.Helper()
	r := &readings{seen: map[string]int{}}
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + broker).SetClientID("watch-" + node).SetCleanSession(false))
	if tok := client.Connect(); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	t.Cleanup(func() { client.Disconnect(0) })
	tok := client.Subscribe("hearth/"+node+"/#", 1, func(_ mqtt.Client, m mqtt.Message) {
		var x struct {
			Boot string
			Seq  uint64
		}
		if json.Unmarshal(m.Payload(), &x) == nil && x.Seq > 0 {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.seen[number(x.Boot, x.Seq)]++
		}
	})
	if !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	return r
}

// all returns what has arrived.
func (r *readings) all() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.seen)
}

// has reports whether these have arrived.
func (r *readings) has(numbers ...string) bool {
	seen := r.all()
	return !slices.ContainsFunc(numbers, func(n string) bool { return seen[n] == 0 })
}

// agent is an edge agent process with one simulated sensor.
type agent struct {
	*process
	listen string
}

// newAgent starts an agent that reads its sensor at each interval.
func newAgent(t *testing.T, dir, node, broker, interval string) *agent {
	t.Helper()
	a := &agent{listen: free.Addr(t)}
	a.process = start(t, built(t, "./edge/simulated"), map[string]string{
		"NODE": node, "MQTT_URL": "tcp://" + broker, "SPOOL_DIR": dir, "LISTEN": a.listen, "EDGE_CONFIG_DIR": t.TempDir(), "SIMULATE": "true",
		"SPOOL_SYNC": "0s", "SPOOL_MAX_RECORDS": "80", "RESEND_AFTER": "1s", // a segment holds ten readings
		"SENSOR_0_KIND": "host", "SENSOR_0_DEVICE": node, "SENSOR_0_INTERVAL": interval, "SENSOR_0_EVERY": "0s",
	})
	return a
}

// serves waits until the agent serves.
func (a *agent) serves() {
	a.t.Helper()
	a.until("the agent serves", func() bool { return answers("http://" + a.listen + "/healthz") })
}

// numbered returns how many readings the agent has taken.
func (a *agent) numbered() (n int) {
	a.t.Helper()
	res, err := http.Get("http://" + a.listen + "/metrics")
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), "\nhearth_edge_numbered_total ")
	_, _ = fmt.Sscan(rest, &n)
	return n
}

// onDisk returns the readings that are whole in an agent's folder.
func onDisk(t *testing.T, dir string) (numbers []string) {
	t.Helper()
	for _, r := range records(t, dir) {
		var x struct {
			Boot string
			Seq  uint64
		}
		if err := json.Unmarshal(r, &x); err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, number(x.Boot, x.Seq))
	}
	return numbers
}

// madeAgent returns the folder of an agent that was killed without a broker: its spool has
// five segments and more.
func madeAgent(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	a := newAgent(t, dir, "pi", "127.0.0.1:1", "5ms")
	a.until("five segments", func() bool {
		names, err := filepath.Glob(filepath.Join(dir, "*.log"))
		return err == nil && len(names) >= 6
	})
	a.kill()
	return dir
}

var agentDamages = map[string]damage{
	"nothing": none,
	"the newest segment ends at a record": newest(".", 1, func(n string) damage {
		return all(newest(".", 0, func(m string) damage { return remove(m) }), cut(n, whole(4)))
	}),
	"the newest segment ends in a header": newest(".", 1, func(n string) damage {
		return all(newest(".", 0, func(m string) damage { return remove(m) }), cut(n, header(3)))
	}),
	"the newest segment ends in a payload": newest(".", 1, func(n string) damage {
		return all(newest(".", 0, func(m string) damage { return remove(m) }), cut(n, payload(3)))
	}),
	"the newest segment is empty":                                 newest(".", 0, func(n string) damage { return write(n, "") }),
	"the newest segment is garbage":                               newest(".", 0, func(n string) damage { return write(n, strings.Repeat("garbage", 99)) }),
	"the newest segment is lost":                                  newest(".", 0, func(n string) damage { return remove(n) }),
	"the newest is empty, and the one before it ends in a record": all(newest(".", 0, func(n string) damage { return write(n, "") }), newest(".", 1, func(n string) damage { return cut(n, payload(5)) })),
	"the one before the newest ends at a record":                  newest(".", 1, func(n string) damage { return cut(n, whole(5)) }),
	"a middle segment is lost":                                    newest(".", 2, func(n string) damage { return remove(n) }),
	"a middle segment is empty":                                   newest(".", 3, func(n string) damage { return write(n, "") }),
	"the first segment is lost":                                   first("*.log", func(n string) damage { return remove(n) }),
	"all segments are lost":                                       remove("*.log"),
	"a cursor file is lost":                                       remove("cursors.a"),
	"the other cursor file is cut":                                cut("cursors.b", bytes(40)),
	"both cursor files are garbage":                               all(write("cursors.a", "garbage"), write("cursors.b", strings.Repeat("x", 5000))),
	"the clock's file is garbage":                                 write("clock.json", "{"),
	"the folder is lost":                                          remove("."),
}

// A damaged agent starts, publishes all readings that are whole and the new ones, and stops
// when it is told to.
func TestADamagedAgentGoesOn(t *testing.T) {
	broker := testserver.OwnMosquitto(t, 0).Addr
	made := madeAgent(t)
	for name, d := range agentDamages {
		t.Run(name, func(t *testing.T) {
			dir := copied(t, made)
			d(t, dir)
			want := onDisk(t, dir)
			got := subscribed(t, broker, "pi")
			a := newAgent(t, dir, "pi", broker, "20ms")
			a.until("the readings that are whole", func() bool { return got.has(want...) })
			a.until("new readings", func() bool { return len(got.all()) > len(want)+1 })
			a.stopsCleanly()
		})
	}
}

// An agent whose folder cannot be used starts, and publishes its readings from memory. When
// it can write again it keeps readings there.
func TestAnAgentWithoutAFolderGoesOn(t *testing.T) {
	broker := testserver.OwnMosquitto(t, 0)
	for name, made := range map[string]func(t *testing.T) (dir string, mend func()){
		"the folder is a file": func(t *testing.T) (string, func()) {
			dir := filepath.Join(t.TempDir(), "data")
			write("data", "a file, not a folder")(t, filepath.Dir(dir))
			return dir, func() { remove("data")(t, filepath.Dir(dir)) }
		},
		"the disk is full": func(t *testing.T) (string, func()) {
			disk := testserver.SmallDisk(t, 2)
			return disk, fill(t, disk)
		},
		"the disk is read-only": func(t *testing.T) (string, func()) {
			disk := testserver.SmallDisk(t, 2)
			readOnly(t, disk)
			return disk, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, mend := made(t)
			got := subscribed(t, broker.Addr, "shed")
			if err := broker.Stop(); err != nil {
				t.Fatal(err)
			}
			a := newAgent(t, dir, "shed", broker.Addr, "50ms")
			a.serves()
			a.until("the agent notices", func() bool { return strings.Contains(a.read(a.log), "they are kept in memory") })
			if text := a.read(a.log); !strings.Contains(text, "SPOOL_DIR") || strings.Contains(text, "written to disk again") {
				t.Errorf("it does not say what to do, or that the disk works: %s", text)
			}
			if err := broker.Start(); err != nil {
				t.Fatal(err)
			}
			a.until("the readings in memory", func() bool {
				n := 0
				for number := range got.all() {
					boot, _, _ := strings.Cut(number, " ")
					for got.has(fmt.Sprint(boot, " ", n+1)) {
						n++
					}
				}
				return n > 10
			})
			if mend == nil {
				a.stopsCleanly()
				return
			}
			mend()
			if err := broker.Stop(); err != nil {
				t.Fatal(err)
			}
			a.until("readings on disk", func() bool { return len(onDisk(t, dir)) > 0 })
			a.stopsCleanly()
			if err := broker.Start(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// The disk is full for a while: no reading is lost.
func TestAnAgentOnAFullDisk(t *testing.T) {
	broker := testserver.OwnMosquitto(t, 0).Addr
	disk := testserver.SmallDisk(t, 2)
	a := newAgent(t, disk, "hut", "127.0.0.1:1", "300ms")
	a.until("readings on disk", func() bool { return len(onDisk(t, disk)) > 3 })
	free := fill(t, disk)
	a.until("the agent notices", func() bool { return strings.Contains(a.read(a.log), "they are kept in memory") })
	free()
	a.until("readings are written again", func() bool { return strings.Contains(a.read(a.log), "written to disk again") })
	a.stopsCleanly()
	want := onDisk(t, disk)
	for i, n := range want {
		boot, _, _ := strings.Cut(n, " ")
		if n != number(boot, uint64(i+1)) {
			t.Fatalf("%q are on disk, want all from 1 on", want)
		}
	}
	got := subscribed(t, broker, "hut")
	a = newAgent(t, disk, "hut", broker, "1h")
	a.until("all readings", func() bool { return got.has(want...) })
	a.stopsCleanly()
}

// An agent that cannot keep its last readings, or that another agent keeps from its folder,
// says so in one line.
func TestAnAgentSaysWhatItCannotDo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first := newAgent(t, dir, "pi", "127.0.0.1:1", "20ms")
	first.serves()
	newAgent(t, dir, "pi", "127.0.0.1:1", "20ms").refuses("in use by another process", "SPOOL_DIR")
	first.stopsCleanly()
	if err := errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	a := newAgent(t, dir, "pi", "127.0.0.1:1", "20ms")
	a.until("readings in memory", func() bool { return a.numbered() > 0 })
	a.stop()
	a.refuses("readings were lost")
}
