package main

import (
	"bytes"
	"fmt"
	"syscall"
	"testing"

	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
)

// TestRefusedMessagesLeaveTheSpoolItsFiles on a disk that takes few files, however small:
// a file system has a fixed number of inodes.
func TestRefusedMessagesLeaveTheSpoolItsFiles(t *testing.T) {
	const n = 150
	d := startOnDisk(t, 64)
	if err := syscall.Mount("", d.dir, "tmpfs", syscall.MS_REMOUNT, "size=64m,nr_inodes=50"); err != nil {
		t.Fatal(err)
	}
	payload := bytes.Repeat([]byte("jpeg"), 50_000)
	for i := range n {
		d.publish(fmt.Sprint("bad/", i), payload[:1000])
		d.publish(fmt.Sprint("good/", i), payload)
	}
	mqtttest.Until(t, "the good messages", func() bool { return d.good.N() == n })
	mqtttest.Until(t, "the refused messages", func() bool { return d.metric(`dead_total{function="bad"}`) == n })
	if kept, dropped := d.metric("dead_letters"), d.metric("dead_letters_dropped_total"); kept > 50 || kept+dropped != n {
		t.Errorf("%d letters kept and %d dropped of %d", kept, dropped, n)
	}
}
