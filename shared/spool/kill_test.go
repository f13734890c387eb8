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

// TestMain also runs the child process that TestKilledProcess… kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv("SPOOL_TEST_CHILD"); dir != "" {
		child(dir)
	}
	os.Exit(m.Run())
}

// payload returns a record with a unique text and a checksum, so that a cut or foreign
// record is noticed.
func payload(run string, appender, i int) []byte {
	text := fmt.Sprintf("%s/%d/%d", run, appender, i)
	return fmt.Appendf(nil, "%s %x", text, sha256.Sum256([]byte(text)))
}

// child appends until it is killed, and prints each acknowledged record.
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
				p := payload(os.Getenv("SPOOL_TEST_RUN"), a, i)
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
	seed := uint64(os.Getpid())
	t.Logf("seed %d", seed)
	rng := seeded(seed)
	for run := range 5 {
		runAndKill(t, dir, run, 100+rng.IntN(1500), acknowledged)
		l, report, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		recs := readAll(t, mustReader(t, l, "parent"))
		for i, rec := range recs {
			var run, appender, n int
			if _, err := fmt.Sscanf(string(rec.Data), "%d/%d/%d ", &run, &appender, &n); err != nil ||
				string(rec.Data) != string(payload(fmt.Sprint(run), appender, n)) || rec.Seq != Seq(i+1) {
				t.Fatalf("record %d is %q", rec.Seq, rec.Data)
			}
		}
		for seq, want := range acknowledged {
			if int(seq) > len(recs) || string(recs[seq-1].Data) != want {
				t.Fatalf("record %d was acknowledged and is lost", seq)
			}
		}
		t.Logf("%d records acknowledged, %d read, problems %q", len(acknowledged), len(recs), report.Problems)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// runAndKill runs a child and kills it after it has printed that many lines. It adds
// the acknowledged records to acknowledged.
func runAndKill(t *testing.T, dir string, run, lines int, acknowledged map[Seq]string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "SPOOL_TEST_CHILD="+dir, fmt.Sprint("SPOOL_TEST_RUN=", run))
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
		if n, _ := fmt.Sscan(scan.Text(), &seq, &text, &sum); n == 3 && len(sum) == 64 { // the last line may be cut
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
