package bridge

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// deadTopic begins the topics on which news of dead letters travel to the
// function that mirrors them.
const deadTopic = "hearth/dead/"

const (
	sampleBytes = 4 << 10   // of a payload, in the news
	newsBytes   = 256 << 10 // of news that are written at once, about
	newsCount   = 512
	newsWait    = 5 * time.Second
)

// publish tells the mirror. The letter itself is on disk: news that cannot be
// stored now are made up for at the next start. With g.mu.
func (g *graveyard) publish(d *DeadLetter, gone bool) error {
	if !d.mirrored() {
		return nil
	}
	m, err := g.newsOf(d, gone)
	if err != nil {
		return err
	}
	return g.write(context.Background(), []Message{m})
}

// mirrored is false for the news themselves, where the mirror does not take them.
func (d *DeadLetter) mirrored() bool { return !strings.HasPrefix(d.Topic, deadTopic) }

func (g *graveyard) write(ctx context.Context, ms []Message) error {
	if g.news == nil || len(ms) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, newsWait)
	defer cancel()
	_, err := g.news(ctx, ms...)
	return err
}

// newsOf is what the mirror is told. With g.mu.
func (g *graveyard) newsOf(d *DeadLetter, gone bool) (Message, error) {
	shown := g.shown(*d)
	b, err := json.Marshal(struct {
		DeadLetter
		Payload []byte `json:"payload,omitempty"`
		Sample  []byte `json:"sample_base64,omitempty"`
		Gone    bool   `json:"gone,omitempty"`
	}{shown, nil, shown.Payload[:min(len(shown.Payload), sampleBytes)], gone})
	g.told = max(g.now().UnixNano(), g.told+1) // the mirror keeps the later news
	return Message{Arrival: g.told, Topic: deadTopic + d.ID, Payload: b, QoS: 1}, err
}

// announce tells the mirror of every letter, once at start, and of those that
// are gone and may not have been told of: many at once, since each write waits
// for the disk. What cannot be told now is told at the next start.
func (g *graveyard) announce(ctx context.Context) {
	g.mu.Lock()
	untold, names := g.untold, slices.Collect(maps.Keys(g.letters))
	g.untold = nil
	g.mu.Unlock()
	for part := range slices.Chunk(untold, newsCount) {
		if ctx.Err() != nil || g.tellGone(ctx, part) != nil {
			return
		}
	}
	for ctx.Err() == nil && len(names) > 0 {
		var part []*DeadLetter
		part, names = g.samples(names)
		if g.tell(ctx, part) != nil {
			return
		}
	}
}

func (g *graveyard) tellGone(ctx context.Context, ds []*DeadLetter) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var ms []Message
	for _, d := range ds {
		if g.letters[fileName(d.Function, d.ID)] != nil || !d.mirrored() {
			continue // it is back
		}
		m, err := g.newsOf(d, true)
		if err != nil {
			return err
		}
		ms = append(ms, m)
	}
	if err := g.write(ctx, ms); err != nil {
		return err
	}
	for _, d := range ds {
		_ = os.Remove(filepath.Join(g.dir, fileName(d.Function, d.ID)) + goneExt) // left over, it is told again
	}
	return nil
}

// samples reads letters for the news, as many as are told at once.
func (g *graveyard) samples(names []string) (part []*DeadLetter, rest []string) {
	size := 0
	for len(names) > 0 && len(part) < newsCount && size < newsBytes {
		d, err := g.read(names[0])
		names = names[1:]
		if err != nil {
			continue // gone by now
		}
		text := g.redact(string(d.Payload), maxPayload) // before it is cut: no half of a secret
		d.Payload = []byte(text[:min(len(text), sampleBytes)])
		size += len(d.Topic) + len(d.Reason) + 2*len(d.Payload) + reasonBytes
		part = append(part, d)
	}
	return part, names
}

// tell tells of letters that are still as they were read.
func (g *graveyard) tell(ctx context.Context, ds []*DeadLetter) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var ms []Message
	for _, d := range ds {
		if now := g.letters[fileName(d.Function, d.ID)]; now == nil || now.Count != d.Count || !d.mirrored() {
			continue
		}
		m, err := g.newsOf(d, false)
		if err != nil {
			return err
		}
		ms = append(ms, m)
	}
	return g.write(ctx, ms)
}
