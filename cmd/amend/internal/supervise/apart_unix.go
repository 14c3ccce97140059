//go:build unix

package supervise

import (
	"os/exec"
	"syscall"
)

// apart keeps a terminal's Ctrl-C from the child: it is passed on, once for each time.
func apart(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
}
