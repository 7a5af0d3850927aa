/* pause: hold the namespaces of a pod, and reap the processes that its containers leave behind.
 *
 * With -v it says what it is and ends: kubeadm runs it so, as a Job, to find out whether a cluster is well enough to be
 * upgraded. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void leave(int signal) {
  (void)signal;
  _exit(0);
}

static void reap(int signal) {
  (void)signal;
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
}

int main(int count, char **words) {
  struct sigaction on_end = {.sa_handler = leave};
  struct sigaction on_child = {.sa_handler = reap, .sa_flags = SA_NOCLDSTOP};

  if (count > 1 && strcmp(words[1], "-v") == 0) {
    static const char name[] = "pause\n";
    return write(STDOUT_FILENO, name, sizeof name - 1) == sizeof name - 1 ? EXIT_SUCCESS : EXIT_FAILURE;
  }
  if (sigaction(SIGINT, &on_end, NULL) || sigaction(SIGTERM, &on_end, NULL) || sigaction(SIGCHLD, &on_child, NULL)) {
    return EXIT_FAILURE;
  }
  for (;;) {
    pause();
  }
}
