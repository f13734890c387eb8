package function

import (
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

// BenchmarkBacklog reports the CPU time of 100,000 messages of 200 topics in batches
// of 500: with readings discarded and states in SQLite, with SQLite, and with InfluxDB
// and PostgreSQL, whose own CPU time is not counted. The messages are an hour old, so that
// no rule judges them; in the case live they are not.
func BenchmarkBacklog(b *testing.B) {
	for _, to := range []string{"null", "live", "sqlite", "servers"} {
		b.Run(to, func(b *testing.B) {
			var st *store.Store
			switch to {
			case "null", "live":
				st = batchtest.SQLite(b)
				st.Series = batchtest.Null{Series: st.Series}
			case "sqlite":
				st = batchtest.SQLite(b)
			default:
				st = batchtest.Servers(b)
			}
			f := batchtest.Serve(b, New, st)
			if to != "live" {
				f.Clock(noon.Add(time.Hour))
			}
			bodies := make([][]byte, 200)
			b.ReportAllocs()
			var used time.Duration
			for n := range b.N {
				for i := range bodies {
					bodies[i] = backlog(n, i)
				}
				b.ResetTimer()
				start := cpu()
				for i, body := range bodies {
					f.Clock(noon.Add(time.Duration(n)*time.Hour + time.Duration(i)*2500*time.Millisecond + 2*time.Second))
					if code, answer := f.Call(b, body); code != http.StatusOK {
						b.Fatalf("%d: %s", code, answer)
					}
				}
				used += cpu() - start
			}
			b.ReportMetric(used.Seconds()/float64(b.N), "CPU-s/100k")
		})
	}
}

// backlog is one batch: every second of two and a half, 200 sensors of 10 nodes.
func backlog(run, batch int) []byte {
	ms := make([]wire.Message, 500)
	for i := range ms {
		n := batch*500 + i
		topic, t := n%200, noon.Add(time.Duration(run)*time.Hour+time.Duration(n/200)*time.Second)
		node := topic / 20
		ms[i] = wire.Message{
			ID: fmt.Sprintf("%d-%d", run, n), Topic: fmt.Sprintf("hearth/node-%d/sensor-%d", node, topic), Time: t.Add(80*time.Millisecond + time.Duration(n)),
			Payload: fmt.Appendf(nil, `{"device":"sensor-%d","sensor":"scd4x","time":%q,"boot":"boot%d","seq":%d,"fields":{"co2_ppm":%d,"temperature_celsius":%.2f,"humidity_percent":%.2f},"quality":"ok"}`,
				topic, t.Format(time.RFC3339Nano), run, n/200*20+topic%20+1, 600+n%7, 21+float64(n%10)/10, 40+float64(n%30)/10),
		}
	}
	return batchtest.Body(ms...)
}

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
