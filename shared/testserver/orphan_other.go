//go:build !linux

package testserver

import "syscall"

const tied = false // a watch does it

func (s *Server) attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: s.user, Setpgid: true}
}

// Tied are the attributes of a child that ends with the test process, where the
// kernel can do that.
func Tied() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
