package damage

import (
	"database/sql"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/store/sqlite"
	"github.com/hearth-home/hearth/shared/testserver/free"
)

// platform is a process of make up, without simulated sensors.
type platform struct {
	*process
	state, broker string
}

// newPlatform starts the platform on a state folder, with more settings: names and values in
// turn. It may not be ready yet.
func newPlatform(t *testing.T, state string, more ...string) *platform {
	t.Helper()
	root := t.TempDir() // without anyone's .env and hearth.yml
	for _, name := range []string{"stack.yml", "stack.extra.yml", "functions"} {
		from, err := filepath.Abs(name)
		if err == nil {
			err = os.Symlink(from, filepath.Join(root, name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	p := &platform{state: state, broker: free.Addr(t)}
	_, port, _ := net.SplitHostPort(p.broker)
	env := map[string]string{"": root, "PORT": pagePort(t, port), "MQTT_PORT": port, "HEARTH_DIR": state, "EDGE": "off", "LOG_FORMAT": "json"}
	for i := 0; i < len(more); i += 2 {
		env[more[i]] = more[i+1]
	}
	p.process = start(t, built(t, "./cmd/hearth"), env, "up")
	return p
}

// pagePort returns a free port whose next one is free too: the connector listens there.
func pagePort(t *testing.T, broker string) string {
	t.Helper()
	for {
		_, port, _ := net.SplitHostPort(free.Addr(t))
		n, err := strconv.Atoi(port)
		if err != nil {
			t.Fatal(err)
		}
		next := strconv.Itoa(n + 1)
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", next)); err == nil && next != broker {
			l.Close()
			return port
		}
	}
}

// runs waits until the platform has started.
func (p *platform) runs() {
	p.t.Helper()
	p.until("the platform runs", func() bool { return strings.Contains(p.read(p.log), "the page is at") })
}

// measured is when the reading of a number was taken.
func measured(seq int) time.Time { return time.Date(2026, 11, 1, 12, 0, seq, 0, time.UTC) }

// publish publishes readings of an edge node.
func (p *platform) publish(seqs ...int) {
	p.t.Helper()
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + p.broker).SetClientID("node"))
	if tok := client.Connect(); !tok.WaitTimeout(patience) || tok.Error() != nil {
		p.t.Fatal(tok.Error())
	}
	defer client.Disconnect(250)
	for _, seq := range seqs {
		text := fmt.Sprintf(`{"device":"desk","sensor":"bme280","time":%q,"boot":"9f3c2a1b","seq":%d,"fields":{"temperature_celsius":%d},"quality":"ok"}`, measured(seq).Format(time.RFC3339), seq, seq)
		if tok := client.Publish("hearth/pi/desk", 1, false, text); !tok.WaitTimeout(patience) || tok.Error() != nil {
			p.t.Fatal("publish: ", tok.Error())
		}
	}
}

// stored returns the numbers of the readings in the database.
func (p *platform) stored() (seqs []int) {
	p.t.Helper()
	st, err := sqlite.OpenExisting(p.t.Context(), filepath.Join(p.state, "hearth.db"))
	if err != nil {
		return nil
	}
	defer st.Close()
	rs, err := st.Between(p.t.Context(), "air", map[string]string{"device": "desk"}, measured(0), measured(100))
	if err != nil {
		return nil
	}
	for _, r := range rs {
		if !r.Time.Equal(measured(int(r.Fields["temperature_celsius"]))) {
			p.t.Errorf("%+v is stored at a wrong time", r)
		}
		seqs = append(seqs, int(r.Fields["temperature_celsius"]))
	}
	slices.Sort(seqs)
	return seqs
}

// untilStored waits until exactly these readings are stored.
func (p *platform) untilStored(seqs ...int) {
	p.t.Helper()
	var have []int
	defer func() {
		if p.t.Failed() {
			p.t.Logf("stored are %d, want %d", have, seqs)
		}
	}()
	p.until("the readings are stored", func() bool { have = p.stored(); return slices.Equal(have, seqs) })
}

// locked locks a state folder's database, as another program may, until unlock is called.
func locked(t *testing.T, state string) (unlock func()) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(state, "hearth.db")+"?_pragma=busy_timeout(10000)&_txlock=exclusive")
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return func() { _ = tx.Rollback(); db.Close() }
}

// waiting returns the numbers of the readings that are whole in the connector's spool.
func waiting(t *testing.T, state string) (seqs []int) {
	t.Helper()
	for _, r := range records(t, filepath.Join(state, "connector", "spool")) {
		m, err := message.Decode(r)
		if err != nil || m.Topic != "hearth/pi/desk" {
			continue
		}
		_, rest, _ := strings.Cut(string(m.Payload), `"seq":`)
		var seq int
		if _, err := fmt.Sscan(strings.ReplaceAll(rest, ",", " "), &seq); err != nil {
			t.Fatalf("%s: %v", m.Payload, err)
		}
		seqs = append(seqs, seq)
	}
	return seqs
}

// madePlatform returns the state folder of a platform that was killed: readings 1 to 3 are
// stored, and 4 to 9 wait in the connector's spool.
func madePlatform(t *testing.T) (state string) {
	t.Helper()
	state = filepath.Join(t.TempDir(), "state")
	p := newPlatform(t, state)
	p.runs()
	p.publish(1, 2, 3)
	p.untilStored(1, 2, 3)
	unlock := locked(t, state)
	defer unlock()
	p.publish(4, 5, 6, 7, 8, 9)
	p.until("the readings wait", func() bool { return len(waiting(t, state)) == 9 })
	p.kill()
	return state
}

var platformDamages = map[string]damage{
	"nothing": none,
	"the spool ends in a payload, and a dead letter and the token are empty": all(newest("connector/spool", 0, func(n string) damage {
		return cut(n, func(b []byte) int { return len(b) - 40 })
	}), write("connector/dead/1.sensors.json", ""), write("secrets/connector-token", "")),
	"the spool ends at a record, and no cursor is left": all(newest("connector/spool", 0, func(n string) damage {
		return cut(n, func(b []byte) int { at := starts(b); return at[len(at)-3] })
	}), remove("connector/spool/cursors.*"), write("running.json", "{garbage")),
	"the spool's newest segment is lost, and the other programs' files are garbage": all(newest("connector/spool", 0, func(n string) damage { return remove(n) }),
		write("running.json", ""), write("running.json.part", "x"), write("connector/dead/sent", "x"), remove("edge", "lock", "secrets")),
	"the connector's folder is lost": remove("connector"),
}

// A damaged platform starts, stores all readings that are whole and the new ones, and stops
// when it is told to.
func TestADamagedPlatformGoesOn(t *testing.T) {
	made := madePlatform(t)
	for name, d := range platformDamages {
		t.Run(name, func(t *testing.T) {
			state := copied(t, made)
			d(t, state)
			want := []int{1, 2, 3}
			for _, seq := range waiting(t, state) {
				if seq > 3 {
					want = append(want, seq)
				}
			}
			p := newPlatform(t, state)
			p.runs()
			p.publish(50)
			p.untilStored(append(want, 50)...)
			p.stopsCleanly()
		})
	}
}

// A platform whose database is damaged starts, and stops. Messages wait until the database
// is mended.
func TestAPlatformWithADamagedDatabaseKeepsMessages(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	p := newPlatform(t, state)
	p.runs()
	p.publish(1, 2)
	p.untilStored(1, 2)
	p.stopsCleanly()
	for i, d := range []damage{folder("hearth.db"), cut("hearth.db", part(5)), write("hearth.db", strings.Repeat("garbage", 999))} {
		whole := copied(t, state)
		d(t, state)
		p := newPlatform(t, state)
		p.runs()
		p.publish(10 + i)
		p.until("the message waits", func() bool { return slices.Contains(waiting(t, state), 10+i) })
		p.stopsCleanly()
		remove("hearth.db*")(t, state)
		if err := os.Rename(filepath.Join(whole, "hearth.db"), filepath.Join(state, "hearth.db")); err != nil {
			t.Fatal(err)
		}
		p = newPlatform(t, state)
		p.runs()
		p.untilStored([]int{1, 2, 10, 11, 12}[:3+i]...)
		p.stopsCleanly()
	}
}
