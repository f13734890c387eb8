package spool

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// TestMain is also the process that gets killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("SPOOL_TEST_CHILD"); dir != "" {
		child(dir)
	}
	os.Exit(m.Run())
}

// payload is told from any other by its text, and from half of itself by its sum.
func payload(life string, appender, i int) []byte {
	text := fmt.Sprintf("%s/%d/%d", life, appender, i)
	return fmt.Appendf(nil, "%s %x", text, sha256.Sum256([]byte(text)))
}

// child appends until it is killed, and says what was acknowledged.
func child(dir string) {
	l, _, err := Open(dir, Options{SegmentBytes: 20_000})
	if err != nil {
		panic(err)
	}
	r, err := l.Reader("child")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			recs, err := r.Next(context.Background(), 50, 0)
			if err != nil {
				panic(err)
			}
			r.Commit(recs[0].Seq)
		}
	}()
	var out sync.Mutex
	for a := range 4 {
		go func() {
			for i := 0; ; i++ {
				p := payload(os.Getenv("SPOOL_TEST_LIFE"), a, i)
				seq, err := l.Append(context.Background(), p, p)
				if err != nil {
					panic(err)
				}
				out.Lock()
				fmt.Printf("%d %s\n%d %s\n", seq, p, seq+1, p)
				out.Unlock()
			}
		}()
	}
	select {}
}

func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[Seq]string{}
	rng := seeded(uint64(os.Getpid()))
	for life := range 5 {
		runAndKill(t, dir, life, 100+rng.IntN(1500), acknowledged)
		l, report, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		recs := readAll(t, mustReader(t, l, "parent"))
		for i, rec := range recs {
			var life, appender, n int
			if _, err := fmt.Sscanf(string(rec.Data), "%d/%d/%d ", &life, &appender, &n); err != nil ||
				string(rec.Data) != string(payload(fmt.Sprint(life), appender, n)) || rec.Seq != Seq(i+1) {
				t.Fatalf("record %d is %q", rec.Seq, rec.Data)
			}
		}
		for seq, want := range acknowledged {
			if int(seq) > len(recs) || string(recs[seq-1].Data) != want {
				t.Fatalf("record %d was acknowledged and is gone", seq)
			}
		}
		t.Logf("%d acknowledged, %d there, %q", len(acknowledged), len(recs), report.Problems)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// runAndKill lets a child live until it acknowledged that many more.
func runAndKill(t *testing.T, dir string, life, lines int, acknowledged map[Seq]string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "SPOOL_TEST_CHILD="+dir, fmt.Sprint("SPOOL_TEST_LIFE=", life))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	scan := bufio.NewScanner(out)
	got := 0
	for ; scan.Scan(); got++ {
		var seq Seq
		var text, sum string
		if n, _ := fmt.Sscan(scan.Text(), &seq, &text, &sum); n == 3 && len(sum) == 64 { // the last may be cut
			acknowledged[seq] = text + " " + sum
		}
		if got == lines {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // killed
	if got < lines {
		t.Fatalf("the child ended by itself after %d lines", got)
	}
}
