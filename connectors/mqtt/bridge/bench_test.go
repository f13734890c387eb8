package bridge

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/shared/testserver"
)

// BenchmarkDrain measures how fast the connector delivers 100,000 messages of 200
// topics that Mosquitto has queued for it, to a function that stores them all.
func BenchmarkDrain(b *testing.B) {
	const n = 100_000
	server := testserver.OwnMosquitto(b, 0)
	var got atomic.Int64
	gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/system/functions" {
			io.WriteString(w, `[{"name":"f","annotations":{"topic":"house/#","mqtt-batch":"500"}}]`)
			return
		}
		body, _ := io.ReadAll(r.Body)
		got.Add(count(body))
	}))
	defer gate.Close()
	for range b.N {
		b.StopTimer()
		dir := b.TempDir()
		got.Store(0)
		queue(b, server.Addr, n)
		b.StartTimer()
		before, begin := cpu(), time.Now()
		_, stop := run(b, gate.URL, server.Addr, dir)
		for got.Load() < n {
			time.Sleep(time.Millisecond)
		}
		b.ReportMetric(n/time.Since(begin).Seconds(), "messages/s")
		b.ReportMetric((cpu() - before).Seconds(), "cpu-s/100k")
		stop()
	}
}

// count counts the events of a batch without decoding them.
func count(body []byte) (n int64) {
	const key = `"specversion"`
	for i := 0; i+len(key) <= len(body); i++ {
		if body[i] == '"' && string(body[i:i+len(key)]) == key {
			n++
			i += 250
		}
	}
	return n
}

// queue creates the connector's session and publishes while it is disconnected, so that
// the broker queues the messages.
func queue(b *testing.B, addr string, n int) {
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("connector").SetCleanSession(false))
	c.Connect().WaitTimeout(10 * time.Second)
	c.Subscribe("house/#", 1, nil).WaitTimeout(10 * time.Second)
	c.Disconnect(100)
	p := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("p").SetOrderMatters(false))
	p.Connect().WaitTimeout(10 * time.Second)
	defer p.Disconnect(100)
	var last mqtt.Token
	for i := range n {
		last = p.Publish(fmt.Sprintf("house/node%d", i%200), 1, false,
			fmt.Sprintf(`{"device":"d%d","sensor":"x","time":"2026-11-23T14:05:06.123Z","boot":"9f3c2a1b","seq":%d,"fields":{"a":1.5,"b":2,"c":3,"d":4,"e":5},"quality":"ok"}`, i%200, i))
	}
	if !last.WaitTimeout(time.Minute) {
		b.Fatal("not published")
	}
}

// cpu returns the CPU time that the process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
