package function

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/wire"
)

// BenchmarkBacklog reports the CPU time of 100,000 messages of 200 devices in batches
// of 500. Readings are discarded, states go to SQLite.
func BenchmarkBacklog(b *testing.B) {
	st := batchtest.SQLite(b)
	st.Series = batchtest.Null{Series: st.Series}
	f := batchtest.Serve(b, New, st)
	f.Post(b, message(-time.Hour, "bridge/devices", manyDevices(200)))
	f.Clock(noon.Add(time.Hour))
	b.ReportAllocs()
	var used time.Duration
	bodies := make([][]byte, 200)
	for n := range b.N {
		for i := range bodies {
			bodies[i] = backlog(n, i)
		}
		b.ResetTimer()
		start := cpu()
		for _, body := range bodies {
			if code, answer := f.Call(b, body); code != http.StatusOK {
				b.Fatalf("%d: %s", code, answer)
			}
		}
		used += cpu() - start
	}
	b.ReportMetric(used.Seconds()/float64(b.N), "CPU-s/100k")
}

func manyDevices(n int) string {
	var ds []string
	for i := range n {
		ds = append(ds, fmt.Sprintf(`{"ieee_address":"0x%016x","type":"EndDevice","friendly_name":"sensor %d","definition":{"model":"M","vendor":"V","exposes":[
			{"type":"numeric","property":"temperature","unit":"°C"},{"type":"numeric","property":"humidity","unit":"%%"},{"type":"numeric","property":"battery","unit":"%%","value_min":0,"value_max":100}]}}`, i+1, i))
	}
	return "[" + strings.Join(ds, ",") + "]"
}

func backlog(run, batch int) []byte {
	ms := make([]wire.Message, 500)
	for i := range ms {
		n := batch*500 + i
		seen := noon.Add(time.Duration(run)*time.Hour + time.Duration(n/200)*time.Second)
		ms[i] = message(0, fmt.Sprintf("sensor %d", n%200), fmt.Sprintf(`{"battery":91,"humidity":%.2f,"linkquality":%d,"temperature":%.2f,"last_seen":%q}`,
			40+float64(n%30)/10, 100+n%40, 21+float64(n%10)/10, seen.Format("2006-01-02T15:04:05.000Z")))
		ms[i].ID, ms[i].Time = fmt.Sprintf("%d-%d", run, n), seen.Add(30*time.Millisecond+time.Duration(n))
	}
	return batchtest.Body(ms...)
}

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
