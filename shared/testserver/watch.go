package testserver

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// watch sends sig to the process pid when this process has ended, even by a SIGKILL. A
// shell reads from a pipe whose other end only this process holds. It sends the signal
// when the pipe is closed. unwatch ends the shell instead.
func watch(pid int, sig syscall.Signal) (unwatch func(), err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cmd := exec.Command("sh", "-c", `cat; kill -"$0" "$1"`, strconv.Itoa(int(sig)), strconv.Itoa(pid))
	cmd.Stdin = r
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that Ctrl-C does not end it
	if err := cmd.Start(); err != nil {
		w.Close()
		return nil, err
	}
	return func() {
		cmd.Process.Kill()
		cmd.Wait()
		w.Close()
	}, nil
}
