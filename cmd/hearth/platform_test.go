package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/local/listen"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/command/commandtest"
)

// platform runs hearth up, runs the other commands at the same time, and interrupts it.
func platform(t *testing.T, p commandtest.Program) {
	p.Env = append(p.Env, "PORT=0", "EDGE=off")
	gateway, stop := upWith(t, p)
	if code, _, errs := p.Run(t, "up"); code != command.Failed || !strings.Contains(errs, "another process runs on the state folder "+filepath.Join(p.Dir, ".hearth")) || !strings.Contains(errs, " PORT=") {
		t.Errorf("a second one: %d %s", code, errs)
	}
	// The oldest year of the example in README: the sample data must reach back so far.
	if code, out, errs := p.Run(t, "backfill", "treasuries", "--from", "2020-01-01", "--to", "2020-12-31", "--gateway", gateway); code != command.Done {
		t.Errorf("a backfill of sample data: %d %s%s", code, out, errs)
	}
	seenFunctions(t, p)
	deadLetters(t, p)
	if err := stop(); err != nil {
		t.Errorf("interrupted: %v", err)
	}
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}

func seenFunctions(t *testing.T, p commandtest.Program) {
	var fs []known
	eventually(t, "weather is seen", func() bool {
		parse(t, p, command.Done, &fs, "functions", "list", "--json")
		return strings.Contains(names(fs), " weather ")
	})
	if _, out, _ := p.Run(t, "functions", "list"); !strings.Contains(out, "FUNCTION") || !strings.Contains(out, "weather") {
		t.Errorf("%s", out)
	}
	if code, out, errs := p.Run(t, "functions", "forget", "weather"); code != command.Done || !strings.Contains(out, "weather is forgotten") {
		t.Errorf("%d %s%s", code, out, errs)
	}
	parse(t, p, command.Done, &fs, "functions", "list", "--json")
	if strings.Contains(names(fs), " weather ") {
		t.Error("it is still there")
	}
}

func names(fs []known) string {
	out := " "
	for _, f := range fs {
		out += f.Name + " "
	}
	return out
}

// deadLetters publishes a message that no function knows, and runs device, dead list, dead
// show and dead drop.
func deadLetters(t *testing.T, p commandtest.Program) {
	b, err := os.ReadFile(filepath.Join(p.Dir, ".hearth", "running.json"))
	if err != nil {
		t.Fatal(err)
	}
	var running struct{ Broker, Admin string }
	if err := json.Unmarshal(b, &running); err != nil {
		t.Fatal(err)
	}
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(running.Broker).SetClientID("test"))
	if token := client.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	defer client.Disconnect(50)
	const payload = `{"ENERGY":{"Power":12.5}}`
	client.Publish("tele/plug1/SENSOR", 1, true, payload).Wait()

	var received listen.Report
	parse(t, p, command.Done, &received, "device", "tele/plug1/SENSOR", "--for", "10s", "--json")
	if len(received.Topics) != 1 || string(received.Topics[0].Payload) != payload || !strings.Contains(received.Topics[0].Proposal, "$.ENERGY.Power") || received.Topics[0].Mapped {
		t.Errorf("%+v", received)
	}
	client.Publish("tele/plug1/SENSOR", 1, false, payload).Wait()
	var dead []deadletter.Letter
	eventually(t, "a dead letter", func() bool {
		parse(t, p, command.Done, &dead, "dead", "list", "--json")
		return len(dead) > 0
	})
	id := dead[0].ID
	if parse(t, p, command.Done, &dead, "dead", "list", "--at", running.Admin, "--json"); len(dead) == 0 {
		t.Error("there are no dead letters at the address of the connector")
	}
	var one deadletter.Letter
	parse(t, p, command.Done, &one, "dead", "show", id, "--json")
	if string(one.Payload) != payload {
		t.Errorf("%+v", one)
	}
	if code, out, errs := p.Run(t, "dead", "show", id); code != command.Done || out != payload || !strings.Contains(errs, "tele/plug1/SENSOR") {
		t.Errorf("%d %q %q", code, out, errs)
	}
	if code, out, errs := p.Run(t, "dead", "drop", "-topic", "tele/#"); code != command.Done || !strings.HasPrefix(out, "dropped ") || !strings.Contains(out, " dead letter") {
		t.Errorf("%d %s%s", code, out, errs)
	}
	parse(t, p, command.Done, &dead, "dead", "list", "--json")
	if len(dead) != 0 {
		t.Errorf("left: %+v", dead)
	}
	forgetDevices(t, p, client)
}

// forgetDevices forgets devices while the functions run, which then take one as new.
func forgetDevices(t *testing.T, p commandtest.Program, client mqtt.Client) {
	for i := range 3 {
		client.Publish(fmt.Sprintf("noisy/d%d", i), 1, false, `{"temperature":20}`).Wait()
	}
	var out, errs string
	forget := func(args ...string) (code int) {
		t.Helper()
		code, out, errs = p.Run(t, append([]string{"device", "forget"}, args...)...)
		return code
	}
	eventually(t, "three devices", func() bool {
		return forget("--from", "noisy", "--dry-run") == command.Done && strings.Contains(out, "3 devices")
	})
	if !strings.Contains(out, "noisy/d1") || !strings.Contains(out, "nothing is forgotten") {
		t.Errorf("%s", out)
	}
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{command.Failed, `no device "noisy-d9" is in the register: did you mean "noisy-d0"?`, []string{"noisy-d9"}},
		{command.Failed, `no device from "nosy" is in the register`, []string{"--from", "nosy", "--all"}},
		{command.Misuse, "that picks 3 devices: see them with --dry-run, forget them with --all", []string{"noisy-d*"}},
		{command.Misuse, "that picks 3 devices", []string{"--from", "noisy/#"}},
		{command.Done, "noisy-d1 is forgotten, with physical ids: 1, latest values: 1. Readings stay", []string{"noisy-d1"}},
		{command.Failed, `no device "noisy-d1"`, []string{"noisy-d1"}},
		{command.Done, "2 devices are forgotten, with physical ids: 2, latest values: 2.", []string{"noisy-d?", "--from", "noisy", "--all"}},
	} {
		if code := forget(c.args...); code != c.code || !strings.Contains(out+errs, c.says) {
			t.Errorf("%q: %d %s%s, want %s", c.args, code, out, errs, c.says)
		}
	}
	client.Publish("noisy/d1", 1, false, `{"temperature":21}`).Wait()
	eventually(t, "it comes back", func() bool { return forget("noisy-d1", "--dry-run") == command.Done })
}
