package deliver

import (
	"strconv"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
)

// By load, a function is called no more often than the groups are read, whatever
// the topics, and a message that comes alone is not kept for others.
func TestByLoadMessagesGoTogether(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	calls := make(chan int, 10_000)
	g.Deploy("f", batched, func(c mqtttest.Call) (int, string) {
		got.Add(c.Data...)
		calls <- len(c.Data)
		return 200, ""
	})
	r, _ := start(t, g, t.TempDir(), func(s *setting) { s.options.ByLoad = true })
	r.listening("f")
	begin := time.Now()
	const n = 100
	for k := range n {
		r.give("house/"+strconv.Itoa(k%10), strconv.Itoa(k))
		time.Sleep(10 * time.Millisecond)
	}
	mqtttest.Until(t, "all is delivered", func() bool { return got.N() == n })
	if most := int(time.Since(begin)/groupTime) + 2; len(calls) > most {
		t.Errorf("%d calls for what was read %d times at most", len(calls), most)
	}
	if first := <-calls; first > n/4 {
		t.Errorf("the first waited for %d others", first-1)
	}
}
