package damage

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/free"
)

const (
	messages     = 11     // of madeConnector's house
	messageBytes = 40_000 // so that a segment of SPOOL_MAX_MIB=1 holds three
	deadLetters  = 2
)

// connector is a connector process between a broker and its functions: fast and slow, which
// get all messages of the house, and bad, which refuses its own.
type connector struct {
	*process
	dir, admin string
	client     mqtt.Client // of the house
	fast, slow mqtttest.Tally
	slowIsDown atomic.Bool
}

var sessions atomic.Int64

// settings are a connector's on a folder, without a broker and a gateway.
func settings(t *testing.T, dir string) map[string]string {
	t.Helper()
	secrets := t.TempDir()
	write("connector-token", "ours")(t, secrets)
	return map[string]string{"DATA_DIR": dir, "LISTEN": free.Addr(t), "secret_mount_path": secrets, "REBUILD_INTERVAL": "50ms", "CANARY_INTERVAL": "0s",
		"SPOOL_MAX_MIB": "1", "MQTT_URL": "tcp://127.0.0.1:1", "GATEWAY_URL": "http://127.0.0.1:1", "MQTT_CLIENT_ID": fmt.Sprint("connector-", sessions.Add(1))}
}

// newConnector starts a connector on a folder, and waits until it has subscribed.
func newConnector(t *testing.T, broker, dir string, slowIsDown bool, more map[string]string) *connector {
	t.Helper()
	c := &connector{dir: dir}
	c.slowIsDown.Store(slowIsDown)
	g := mqtttest.NewGateway(t)
	id := func(body string) string { return body[:min(len(body), 2)] }
	g.Deploy("fast", map[string]string{"topic": "house/#"}, func(call mqtttest.Call) (int, string) { c.fast.Add(id(call.Body)); return 200, "" })
	g.Deploy("slow", map[string]string{"topic": "house/#"}, func(call mqtttest.Call) (int, string) {
		if c.slowIsDown.Load() {
			return 503, "later"
		}
		c.slow.Add(id(call.Body))
		return 200, ""
	})
	g.Deploy("bad", map[string]string{"topic": "bad/#"}, func(mqtttest.Call) (int, string) { return 400, "never" })
	env := settings(t, dir)
	env["MQTT_URL"], env["GATEWAY_URL"] = "tcp://"+broker, g.URL
	maps.Copy(env, more)
	c.admin = "http://" + env["LISTEN"]
	c.process = start(t, built(t, "./connectors/mqtt"), env)
	c.until("the connector has subscribed", func() bool { return answers(c.admin + "/readyz") })
	c.client = mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + broker).SetClientID(env["MQTT_CLIENT_ID"] + "-house"))
	if tok := c.client.Connect(); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	t.Cleanup(func() { c.client.Disconnect(0) })
	return c
}

// publish publishes a message. It returns when the broker has it.
func (c *connector) publish(topic, body string) {
	c.t.Helper()
	if tok := c.client.Publish(topic, 1, false, body); !tok.WaitTimeout(patience) || tok.Error() != nil {
		c.t.Fatal("publish: ", tok.Error())
	}
}

// letters returns the number of dead letters that the connector lists.
func (c *connector) letters() int {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.admin+"/dead", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer ours")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return -1
	}
	defer res.Body.Close()
	var list []json.RawMessage
	if b, err := io.ReadAll(res.Body); err != nil || json.Unmarshal(b, &list) != nil {
		return -1
	}
	return len(list)
}

func body(id string) string { return id + strings.Repeat(".", messageBytes-len(id)) }

// madeConnector returns the folder of a connector that was stopped: its spool has four
// segments with messages that fast has stored and slow has not, and it has dead letters.
func madeConnector(t *testing.T, broker string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	c := newConnector(t, broker, dir, true, nil)
	for range deadLetters {
		c.publish("bad/x", "refused")
	}
	c.until("the dead letters", func() bool { return c.letters() == deadLetters })
	for i := range messages {
		c.publish("house/x", body(fmt.Sprintf("%02d", i)))
		c.until("fast has a message", func() bool { return c.fast.N() == i+1 })
	}
	c.stopsCleanly()
	if ids := wholeMessages(t, dir); len(ids) != messages {
		t.Fatalf("the spool has %q", ids)
	}
	segment(t, filepath.Join(dir, "spool"), 3)
	return dir
}

// wholeMessages returns the house's messages that are whole in a connector's folder.
func wholeMessages(t *testing.T, dir string) (ids []string) {
	t.Helper()
	for _, r := range records(t, filepath.Join(dir, "spool")) {
		if m, err := message.Decode(r); err == nil && m.Topic == "house/x" {
			ids = append(ids, string(m.Payload[:2]))
		}
	}
	return ids
}

// connectorDamages are the damages that a connector starts with. again: functions may get
// messages once more, since cursors are lost. letters is the number of dead letters that
// are whole.
var connectorDamages = []struct {
	name    string
	damage  damage
	again   bool
	letters int
}{
	{"nothing", none, false, 2},
	{"the newest segment ends at a record", newest("spool", 0, func(n string) damage { return cut(n, whole(1)) }), false, 2},
	{"the newest segment ends in a header", newest("spool", 0, func(n string) damage { return cut(n, header(1)) }), false, 2},
	{"the newest segment ends in a payload", newest("spool", 0, func(n string) damage { return cut(n, payload(0)) }), false, 2},
	{"the newest segment is empty", newest("spool", 0, func(n string) damage { return write(n, "") }), false, 2},
	{"the newest segment is garbage", newest("spool", 0, func(n string) damage { return write(n, strings.Repeat("garbage", 999)) }), false, 2},
	{"the newest segment is lost", newest("spool", 0, func(n string) damage { return remove(n) }), false, 2},
	{"the last two segments are lost", all(newest("spool", 0, func(n string) damage { return remove(n) }), newest("spool", 0, func(n string) damage { return remove(n) })), false, 2},
	{"the newest is empty, and the one before it ends at a record", all(newest("spool", 0, func(n string) damage { return write(n, "") }),
		newest("spool", 1, func(n string) damage { return cut(n, whole(2)) })), false, 2},
	{"the one before the newest ends in a payload", newest("spool", 1, func(n string) damage { return cut(n, payload(1)) }), false, 2},
	{"a middle segment is lost", newest("spool", 2, func(n string) damage { return remove(n) }), false, 2},
	{"a middle segment is empty", newest("spool", 2, func(n string) damage { return write(n, "") }), false, 2},
	{"the first segment is lost", newest("spool", 3, func(n string) damage { return remove(n) }), false, 2},
	{"all segments are lost", remove("spool/*.log"), false, 2},
	{"a cursor file is lost", remove("spool/cursors.a"), true, 2},
	{"the other cursor file is garbage", write("spool/cursors.b", strings.Repeat("garbage", 600)), true, 2},
	{"both cursor files are lost", remove("spool/cursors.a", "spool/cursors.b"), true, 2},
	{"both cursor files are cut", all(cut("spool/cursors.a", bytes(30)), cut("spool/cursors.b", part(1))), true, 2},
	{"both cursor files are empty, and the newest segment ends in a header", all(write("spool/cursors.a", ""), write("spool/cursors.b", ""),
		newest("spool", 0, func(n string) damage { return cut(n, header(1)) })), true, 2},
	{"the folder of the spool is lost", remove("spool"), true, 2},
	{"a dead letter is cut", first("dead/*.bad.json", func(n string) damage { return cut(n, part(50)) }), false, 1},
	{"the lists beside the dead letters are garbage", all(write("dead/sent", "{garbage"), write("dead/requests", "\x00\x00"), write("dead/x.bad.json.gone", ""), write("dead/y.bad.json", "{}"),
		write("dead/z.bad.json", ""), write("dead/z.bad.json.tmp", "{")), false, 2},
	{"the folder of the dead letters is lost", remove("dead"), false, 0},
}

// has reports whether a function has got messages.
func has(function *mqtttest.Tally, ids ...string) bool {
	seen := function.Seen()
	return !slices.ContainsFunc(ids, func(id string) bool { return seen[id] == 0 })
}

// A damaged connector starts, delivers all messages that are whole and the new ones, and
// stops when it is told to.
func TestADamagedConnectorGoesOn(t *testing.T) {
	broker := testserver.OwnMosquitto(t, 0).Addr
	made := madeConnector(t, broker)
	for i, c := range connectorDamages {
		t.Run(c.name, func(t *testing.T) {
			dir := copied(t, made)
			c.damage(t, dir)
			want := wholeMessages(t, dir)
			m := newConnector(t, broker, dir, false, map[string]string{"GATHER_BY_LOAD": strconv.FormatBool(i%2 == 1)})
			m.publish("house/x", body("n1"))
			m.publish("house/x", body("n2"))
			m.until("slow has all messages that are whole", func() bool { return has(&m.slow, append(want, "n1", "n2")...) })
			m.until("fast has the new messages", func() bool { return has(&m.fast, "n1", "n2") })
			m.until("the dead letters", func() bool { return m.letters() == c.letters })
			m.stopsCleanly()
			for id, n := range m.slow.Seen() {
				if n > 1 || id[0] != 'n' && !slices.Contains(want, id) {
					t.Errorf("slow got %s %d times", id, n)
				}
			}
			for id, n := range m.fast.Seen() {
				if n > 1 || id[0] != 'n' && !c.again {
					t.Errorf("fast got %s %d times, and had stored all before", id, n)
				}
			}
		})
	}
}

// A connector that cannot use its folder says so in one line.
func TestAConnectorSaysWhyItCannotUseItsFolder(t *testing.T) {
	mqtt := built(t, "./connectors/mqtt")
	for name, c := range map[string]struct {
		damage damage
		says   string
	}{
		"the folder is a file":                     {file("."), "move it away"},
		"the spool is a file":                      {file("spool"), "move it away"},
		"the folder of the dead letters is a file": {file("dead"), "move it away"},
		"the lock is a folder":                     {folder("spool/lock"), "move it away"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			c.damage(t, dir)
			start(t, mqtt, settings(t, dir)).refuses(c.says, "DATA_DIR", dir)
		})
	}
	t.Run("another connector uses it", func(t *testing.T) {
		dir := t.TempDir()
		env := settings(t, dir)
		first := start(t, mqtt, env)
		first.until("it runs", func() bool { return answers("http://" + env["LISTEN"] + "/healthz") })
		start(t, mqtt, settings(t, dir)).refuses("in use by another process", "DATA_DIR", dir)
		first.stopsCleanly()
	})
	t.Run("the disk is read-only", func(t *testing.T) {
		disk := testserver.SmallDisk(t, 8)
		env := settings(t, disk)
		first := start(t, mqtt, env)
		first.until("it runs", func() bool { return answers("http://" + env["LISTEN"] + "/healthz") })
		first.stopsCleanly()
		readOnly(t, disk)
		start(t, mqtt, settings(t, disk)).refuses("read-only", "can write to", "DATA_DIR", disk)
		start(t, mqtt, settings(t, filepath.Join(disk, "new"))).refuses("read-only", "can write to", "DATA_DIR", disk)
	})
}
