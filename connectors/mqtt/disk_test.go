package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/command/commandtest"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/free"
)

// onDisk is a connector process with its data on a small disk, between Mosquitto and the
// functions good and bad.
type onDisk struct {
	t      *testing.T
	dir    string
	admin  string
	out    *bytes.Buffer // complete once the process has ended
	stop   func()
	client mqtt.Client
	good   mqtttest.Tally
}

func startOnDisk(t *testing.T, mib int, env ...string) *onDisk {
	t.Helper()
	return startIn(t, testserver.SmallDisk(t, mib), env...)
}

func startIn(t *testing.T, dir string, env ...string) *onDisk {
	t.Helper()
	d := &onDisk{t: t, dir: dir, out: &bytes.Buffer{}}
	broker, g := testserver.OwnMosquitto(t, 0), mqtttest.NewGateway(t)
	g.Deploy("good", map[string]string{"topic": "good/#", "mqtt-batch": "100"}, func(c mqtttest.Call) (int, string) { d.good.Add(c.Topics...); return 200, "" })
	g.Deploy("bad", map[string]string{"topic": "bad/#", "mqtt-concurrency": "1"}, func(mqtttest.Call) (int, string) { return 400, "never" })
	addr, err := free.Find()
	if err != nil {
		t.Fatal(err)
	}
	d.admin = "http://" + addr
	secrets := t.TempDir()
	if err := os.WriteFile(filepath.Join(secrets, "connector-token"), []byte("ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := commandtest.Build(t, ".")
	p.Env = append([]string{"MQTT_URL=tcp://" + broker.Addr, "GATEWAY_URL=" + g.URL, "DATA_DIR=" + d.dir, "LISTEN=" + addr,
		"secret_mount_path=" + secrets, "REBUILD_INTERVAL=50ms", "CANARY_INTERVAL=0s"}, env...)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := p.Command(ctx)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stdout, cmd.Stderr = d.out, d.out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var stopped atomic.Bool
	d.stop = func() {
		if cancel(); !stopped.Swap(true) {
			_ = cmd.Wait() // its log is what counts
		}
	}
	t.Cleanup(d.stop)
	mqtttest.Until(t, "the connector", func() bool {
		code, _ := d.ask("GET", "/readyz")
		return code == http.StatusOK
	})
	d.client = mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + broker.Addr).SetClientID("house"))
	if tok := d.client.Connect(); !tok.WaitTimeout(10*time.Second) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	t.Cleanup(func() { d.client.Disconnect(0) })
	return d
}

func (d *onDisk) ask(method, path string) (int, string) {
	r, err := http.NewRequestWithContext(context.Background(), method, d.admin+path, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer ours")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(b)
}

// metric returns a metric of the connector, or -1.
func (d *onDisk) metric(name string) int {
	_, text := d.ask("GET", "/metrics")
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, "hearth_mqtt_"+name+" "); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				d.t.Fatal(err)
			}
			return int(f)
		}
	}
	return -1
}

func (d *onDisk) publish(topic string, payload []byte) {
	d.t.Helper()
	if tok := d.client.Publish(topic, 1, false, payload); !tok.WaitTimeout(30*time.Second) || tok.Error() != nil {
		d.t.Fatal("publish: ", tok.Error())
	}
}

// TestRefusedMessagesLeaveTheSpoolItsRoom: with the default caps, on a disk that is
// smaller than these. First the dead letters alone would fill the disk, then another
// program does.
func TestRefusedMessagesLeaveTheSpoolItsRoom(t *testing.T) {
	const n, size = 60, 2_000_000
	d := startOnDisk(t, 96)
	payload := bytes.Repeat([]byte("jpeg"), size/4)
	for i := range n {
		d.publish(fmt.Sprintf("bad/%02d", i), payload)
		d.publish(fmt.Sprintf("good/%02d", i), payload[:1000*i])
	}
	mqtttest.Until(t, "the good messages", func() bool { return d.good.N() == n })
	mqtttest.Until(t, "the refused messages", func() bool { return d.metric(`dead_total{function="bad"}`) == n })
	kept, dropped := d.metric("dead_letters"), d.metric("dead_letters_dropped_total")
	if kept < 3 || kept+dropped != n || d.metric(`lost_total{function="bad"}`)+d.metric(`lost_total{function="good"}`) != 0 {
		t.Errorf("%d letters kept and %d dropped of %d", kept, dropped, n)
	}
	_, list := d.ask("GET", "/dead")
	var letters []deadletter.Letter
	if err := json.Unmarshal([]byte(list), &letters); err != nil {
		t.Fatal(err)
	}
	for i, l := range letters {
		if want := fmt.Sprintf("bad/%02d", n-kept+i); l.Topic != want || l.Size != size || l.Cut {
			t.Errorf("kept %s of %d bytes (cut: %v), want all of %s", l.Topic, l.Size, l.Cut, want)
		}
	}
	var s syscall.Statfs_t
	if err := syscall.Statfs(d.dir, &s); err != nil {
		t.Fatal(err)
	}
	if have, promised := int(s.Bavail)*int(s.Bsize), 72<<20-d.metric("spool_bytes"); have < promised {
		t.Errorf("%d bytes are free, the spool may still take %d", have, promised)
	}
	d.fill()
	for i := range 20 {
		d.publish(fmt.Sprintf("good/more/%d", i), payload[:200_000])
		d.publish(fmt.Sprintf("bad/more/%d", i), payload[:200_000])
	}
	mqtttest.Until(t, "the good messages on a disk that another program has filled", func() bool { return d.good.N() == n+20 })
	mqtttest.Until(t, "the refused messages", func() bool { return d.metric(`dead_total{function="bad"}`) == n+20 })
	d.stop()
	log := d.out.String()
	for says, times := range map[string]int{
		`"because":"DEAD_MAX_MIB"`: 1, `"because":"the disk is full"`: 1, "the disk is smaller than the caps": 1,
	} {
		if got := strings.Count(log, says); got != times {
			t.Errorf("%q is logged %d times, want %d", says, got, times)
		}
	}
	if t.Failed() {
		t.Log(log[:min(len(log), 4000)])
	}
}

// TestLettersThatFillTheDiskAtTheStartGiveUpRoom: they may be from before the caps were
// lowered.
func TestLettersThatFillTheDiskAtTheStartGiveUpRoom(t *testing.T) {
	dir := testserver.SmallDisk(t, 32)
	letters := filepath.Join(dir, "dead")
	if err := os.Mkdir(letters, 0o700); err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; ; n++ {
		l := deadletter.Letter{ID: fmt.Sprintf("id%02d", n), Function: "bad", Topic: "bad/x", Reason: "no", First: time.Unix(int64(n), 0), Last: time.Unix(int64(n), 0), Count: 1, Size: 1_500_000, Payload: make([]byte, 1_500_000)}
		b, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(letters, l.ID+".bad.json")
		if os.WriteFile(name, b, 0o600) != nil {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	(&onDisk{t: t, dir: dir}).fill()
	d := startIn(t, dir)
	for i := range 20 {
		d.publish(fmt.Sprint("good/", i), make([]byte, 500_000))
	}
	mqtttest.Until(t, "the good messages", func() bool { return d.good.N() == 20 })
	if kept, dropped := d.metric("dead_letters"), d.metric("dead_letters_dropped_total"); kept < 1 || dropped < 5 || kept+dropped != n {
		t.Errorf("%d letters kept and %d dropped of %d", kept, dropped, n)
	}
}

// fill takes all room that is free on the disk, as another program may.
func (d *onDisk) fill() {
	d.t.Helper()
	f, err := os.Create(filepath.Join(d.dir, "of another program"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	for part := make([]byte, 4096); err == nil; {
		_, err = f.Write(part)
	}
}
