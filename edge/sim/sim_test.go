package sim

import (
	"errors"
	"io/fs"
	"math"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAWaveStaysWithinItsSpread(t *testing.T) {
	w, again, other := newWave(newRand(1), 700, 200), newWave(newRand(1), 700, 200), newWave(newRand(2), 700, 200)
	low, high, step, differ := math.Inf(1), math.Inf(-1), 0.0, false
	start := NewVirtual().Now()
	for i := range 24 * 3600 {
		now := start.Add(time.Duration(i) * time.Second)
		v := w.at(now)
		if v != again.at(now) {
			t.Fatal("the same seed gave two different values")
		}
		differ = differ || v != other.at(now)
		low, high = min(low, v), max(high, v)
		step = max(step, math.Abs(v-w.at(now.Add(time.Second))))
	}
	if low < 500 || high > 900 || high-low < 200 || step > 5 || !differ {
		t.Errorf("values from %v to %v, steps up to %v, other seed differs: %v", low, high, step, differ)
	}
}

func TestFrozenValuesDoNotChange(t *testing.T) {
	clock, dev := NewVirtual(), NewSDS011(1)
	value := func() string {
		clock.Wait(t.Context(), 10*time.Minute)
		return string(dev.Transmit(clock.Now()))
	}
	value()
	dev.Set(Frozen)
	a, b := value(), value()
	dev.Clear(Frozen)
	if c := value(); a != b || b == c {
		t.Errorf("frozen % X and % X, then % X", a, b, c)
	}
}

func TestFaultsHitEveryNthFrame(t *testing.T) {
	var f Faults
	f.SetEvery(Torn, 3)
	var affected int
	for range 9 {
		if f.nextFrame()&Torn != 0 {
			affected++
		}
	}
	if affected != 3 {
		t.Errorf("%d of 9 frames were affected, want 3", affected)
	}
}

func TestATapeRefusesOtherCommands(t *testing.T) {
	tape, err := parseTape("> AA 01 # ask\n< BB\n\n# done\n")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := tape.Read(make([]byte, 4)); n != 0 || err != nil {
		t.Errorf("the tape answered before the command: %d, %v", n, err)
	}
	if _, err := tape.Write([]byte{0xAA, 0x02}); err == nil {
		t.Error("another command was accepted")
	}
	if _, err := tape.Write([]byte{0xAA, 0x01}); err != nil || tape.Left() != 1 {
		t.Errorf("%v, %d left", err, tape.Left())
	}
	if _, err := parseTape("AA 01"); err == nil {
		t.Error("a line without a direction was accepted")
	}
}

func TestFiles(t *testing.T) {
	f := NewFiles().Put("sys/a/name", "x\n").make("sys/a/temp", func() (string, error) { return "", syscall.EINVAL })
	if b, err := fs.ReadFile(f, "sys/a/name"); err != nil || string(b) != "x\n" {
		t.Errorf("got %q, %v", b, err)
	}
	if _, err := fs.ReadFile(f, "sys/a/temp"); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("err = %v, want EINVAL", err)
	}
	if names, err := fs.Glob(f, "sys/*/name"); err != nil || strings.Join(names, " ") != "sys/a/name" {
		t.Errorf("got %v, %v", names, err)
	}
	f.Remove("sys/a")
	if _, err := fs.Stat(f, "sys/a/name"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("err = %v, want not exist", err)
	}
}
