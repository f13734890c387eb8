package deliver

import (
	"strconv"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
)

// TestByLoadOneCallTakesAllMessagesOfARead: with Options.ByLoad there are no more calls
// than reads of the spool, whatever the topics. The first message is sent at once.
func TestByLoadOneCallTakesAllMessagesOfARead(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	calls := make(chan int, 10_000)
	g.Deploy("f", batched, func(c mqtttest.Call) (int, string) {
		got.Add(c.Data...)
		calls <- len(c.Data)
		return 200, ""
	})
	r, _ := start(t, g, t.TempDir(), func(s *setting) { s.options.ByLoad = true })
	r.waitSubscribed("f")
	begin := time.Now()
	const n = 100
	for k := range n {
		r.put("house/"+strconv.Itoa(k%10), strconv.Itoa(k))
		time.Sleep(10 * time.Millisecond)
	}
	mqtttest.Until(t, "all messages", func() bool { return got.N() == n })
	if most := int(time.Since(begin)/groupInterval) + 2; len(calls) > most {
		t.Errorf("%d calls for at most %d reads", len(calls), most)
	}
	if first := <-calls; first > n/4 {
		t.Errorf("the first message waited for %d others", first-1)
	}
}
