package status

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/printable"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	maxLetters = 2000 // dead letters that are counted, the newest
	maxCauses  = 40
	maxSample  = 400 // bytes of a payload that are shown
)

// Dead is the dead letters with one cause: a function and the reason of its refusal.
type Dead struct {
	ID       string    `json:"id"`
	Function string    `json:"function"`
	Reason   string    `json:"reason"`
	Letters  int       `json:"letters"`
	Topic    string    `json:"topic"` // of the newest letter
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Sample   string    `json:"sample"`
	Proposal string    `json:"proposal,omitempty"` // a mapping for hearth.yml
	Replay   string    `json:"replay"`             // the command that replays them

	cause string // Reason with its secrets, as the connector has it
}

// Spread reports whether the messages came over more than a minute.
func (d Dead) Spread() bool { return d.Last.Sub(d.First) > time.Minute }

// letters keeps the causes while the letters stay the same, because redacting takes
// time.
type letters struct {
	from []store.DeadLetter
	dead []Dead
	more bool
}

// dead groups letters by cause. It takes and returns the newest first, and reports
// whether there are more than it returns.
func (c *collector) dead(from []store.DeadLetter) ([]Dead, bool) {
	same := func(a, b store.DeadLetter) bool {
		return a.ID == b.ID && a.Function == b.Function && a.Reported.Equal(b.Reported)
	}
	if slices.EqualFunc(from, c.letters.from, same) {
		return c.letters.dead, c.letters.more
	}
	made := letters{from: from, more: len(from) > maxLetters}
	at := map[string]int{}
	for _, l := range from[:min(len(from), maxLetters)] {
		cause := l.Function + "\x00" + l.Reason
		i, ok := at[cause]
		switch {
		case ok:
		case len(made.dead) == maxCauses:
			made.more = true
			continue
		default:
			i, at[cause] = len(made.dead), len(made.dead)
			made.dead = append(made.dead, c.cause(l))
		}
		d := &made.dead[i]
		d.Letters++
		if l.First.Before(d.First) {
			d.First = l.First
		}
	}
	c.letters = made
	return made.dead, made.more
}

func (c *collector) cause(l store.DeadLetter) Dead {
	id := fnv.New64a()
	fmt.Fprintf(id, "%s\x00%s", l.Function, l.Reason)
	d := Dead{ID: fmt.Sprintf("x-%x", id.Sum64()), Function: l.Function, Reason: c.Redact(l.Reason), Topic: c.Redact(l.Topic), First: l.First, Last: l.Last,
		Sample: c.sample(l.Sample), Replay: c.replay(l), cause: l.Reason}
	// hearth.yml does not map what edge agents send.
	if strings.HasPrefix(l.Reason, wire.Unmapped) && !strings.HasPrefix(l.Topic, wire.Prefix) {
		if block, err := c.Propose(l.Topic, l.Sample); err == nil {
			d.Proposal = c.Redact(block)
		}
	}
	return d
}

// private matches the values in JSON whose key looks like that of a secret.
var private = regexp.MustCompile(`(?i)("[^"]{0,40}(?:passw|secret|token|psk|apikey|api_key)[^"]{0,40}"\s*:\s*)"[^"]*"?`)

// sample returns the beginning of a payload in one line, without secrets. b may end within
// one.
func (c *collector) sample(b []byte) string {
	s := private.ReplaceAllString(printable.Line(c.RedactCut(string(b))), `$1"[secret]"`)
	if len(s) > maxSample {
		s = strings.ToValidUTF8(s[:maxSample], "") + "…"
	}
	return s
}

// replay is the command that replays the letters of l's cause. What a shell strips from the
// end of a text cannot be part of the whole reason; the rest of it is. The command contains
// no secret: it names what is before one in the reason, or else this letter only.
func (c *collector) replay(l store.DeadLetter) string {
	command := c.Hearth + " dead replay --function " + printable.Shell(l.Function)
	whole := c.Redact(l.Reason) == l.Reason
	part := l.Reason
	if !whole {
		part = strings.TrimSpace(before(l.Reason, c.Redact(l.Reason)))
	}
	switch {
	case part == "":
		return command + " --id " + printable.Shell(l.ID)
	case whole && !strings.HasSuffix(part, "\n"):
		return command + " --cause " + printable.Shell(part)
	}
	return command + " --reason " + printable.Shell(part)
}

// before returns the beginning that a and b have in common.
func before(a, b string) string {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return strings.ToValidUTF8(a[:n], "")
}
