package testserver

import "syscall"

// tied means that the kernel ends a server when the test process dies.
const tied = true

func (s *Server) attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: s.user, Pdeathsig: s.orphaned, Setpgid: true}
}

// Tied returns the attributes of a child process that the kernel kills when the test
// process dies. On systems other than Linux the child is not killed.
func Tied() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
