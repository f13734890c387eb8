package driver

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"
)

// script returns one entry a read; an empty entry is a read timeout.
type script struct {
	reads []string
	gap   time.Duration // passes at each read
	now   time.Time
}

func (s *script) Now() time.Time { return s.now }
func (s *script) Wait(ctx context.Context, d time.Duration) error {
	s.now = s.now.Add(d)
	return ctx.Err()
}
func (s *script) Write(b []byte) (int, error) { return len(b), nil }
func (s *script) Read(b []byte) (int, error) {
	if len(s.reads) == 0 {
		return 0, io.EOF
	}
	s.now = s.now.Add(s.gap)
	n := copy(b, s.reads[0])
	s.reads = s.reads[1:]
	return n, nil
}

// match accepts <x> where x is a letter; <!> has a bad checksum.
func match(b []byte) (int, error) {
	switch {
	case b[0] != '<':
		return 0, ErrNoFrame
	case len(b) < 3:
		return 0, nil
	case b[1] == '!':
		return 0, ErrChecksum
	case b[2] != '>':
		return 0, ErrNoFrame
	}
	return 3, nil
}

func TestLine(t *testing.T) {
	for _, tt := range []struct {
		name  string
		reads []string
		gap   time.Duration
		want  string
		err   error
	}{
		{"a frame in one piece", []string{"<a>"}, 0, "<a>", nil},
		{"a frame in pieces with timeouts between", []string{"<", "", "a", "", ">"}, 50 * time.Millisecond, "<a>", nil},
		{"noise before a frame", []string{"xx<y<<a>"}, 0, "<a>", nil},
		{"a bad checksum before a good one", []string{"<!><b>"}, 0, "<b>", nil},
		{"the head of a frame before a long pause is dropped", []string{"<", "a>", "<c>"}, 600 * time.Millisecond, "<c>", nil},
		{"nothing but timeouts", []string{"", "", "", "", ""}, time.Second, "", ErrNoAnswer},
		{"an unplugged port", nil, 0, "", io.EOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &script{reads: tt.reads, gap: tt.gap, now: time.Unix(0, 0)}
			got, err := NewLine(s, s).Next(t.Context(), 4*time.Second, match)
			if string(got) != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %v; want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestLineCounts(t *testing.T) {
	s := &script{reads: []string{"x<!><a>"}}
	l := NewLine(s, s)
	if _, err := l.Next(t.Context(), time.Second, match); err != nil {
		t.Fatal(err)
	}
	if got, want := l.Counts(), (Counts{Frames: 1, BadFrames: 1, Skipped: 4}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
}

func TestLineEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := &script{reads: make([]string, 1000)}
	if _, err := NewLine(s, s).Next(ctx, time.Hour, match); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want canceled", err)
	}
}

func TestPortTurnsAnEmptyReadIntoADeadline(t *testing.T) {
	p := port{&script{reads: []string{"", "ab"}}}
	if _, err := io.ReadFull(p, make([]byte, 2)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("err = %v, want a deadline", err)
	}
	b := make([]byte, 2)
	if _, err := io.ReadFull(p, b); err != nil || !bytes.Equal(b, []byte("ab")) {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestFlagKeepsTheWorstAndEveryReason(t *testing.T) {
	s := New()
	s.Flag(Suspect, "a")
	s.Flag(WarmingUp, "b")
	s.Flag(WarmingUp, "b")
	if s.Quality != Suspect || s.Reason != "a; b" {
		t.Errorf("got %s %q", s.Quality, s.Reason)
	}
}

func TestFlagOutOfRangeFlagsOnlyValuesOutOfRange(t *testing.T) {
	for key, tt := range map[string]struct {
		v    float64
		want Quality
	}{
		"pm10_ugm3":                         {1999.9, Suspect},
		"pm2_5_ugm3":                        {12, OK},
		"nvme_sensor_1_temperature_celsius": {400, Suspect},
		"socket_2_power_watts":              {61.7, OK},
	} {
		s := New()
		s.Fields[key] = tt.v
		s.FlagOutOfRange()
		if s.Quality != tt.want || s.Fields[key] != tt.v {
			t.Errorf("%s = %v: %s %q, want %s and the value kept", key, s.Fields[key], s.Quality, s.Reason, tt.want)
		}
	}
}

func TestFieldsAreThoseOfTheCatalogue(t *testing.T) {
	// A board may be hotter than a room: the widest range counts.
	if f, ok := FieldOf("temperature_celsius"); !ok || f.Min != -60 || f.Max != 150 {
		t.Errorf("temperature_celsius = %+v", f)
	}
	if _, ok := FieldOf("temperature"); ok {
		t.Error("a key without its unit was accepted")
	}
	if s := (Sample{Fields: map[string]float64{"bogus": 1}}); s.CheckKeys() == nil {
		t.Error("an undeclared field was accepted")
	}
}

func TestRealClockWaitEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (RealClock{}).Wait(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want canceled", err)
	}
}
