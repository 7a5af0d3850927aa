"""CERTIFICATES: tell on which day the certificates of each control plane run out."""

from expiry import days_left, read_dates  # type: ignore[import-not-found] # stands beside this file in the archive

from sealpy.sdk import Ask, PluginContext, PluginFailure, PluginHost, Steps

__version__ = "1.0.0"
PluginType = "CERTIFICATES"

_LEAST = 30  # days, when the document's data does not say


class Plugin:
    """Tell how long the certificates of control planes last; fail when one has fewer days left than `data` says."""

    phases = ("PostInstall", "PostJoin", "PreGuest", "post-install", "post-scaleup")
    timeout = 30

    def steps(self, context: PluginContext, host: PluginHost) -> Steps:
        """Ask kubeadm, which knows them all."""
        if "master" not in host.roles:
            return
        answer = yield Ask("how long do certificates last?", "kubeadm", "certs", "check-expiration", "-o", "json")
        if not answer.ok:
            if context.rehearsal:
                return
            raise PluginFailure(f"kubeadm does not tell: {answer.reason}")
        left = {name: days_left(date) for name, date in read_dates(answer.text)}
        if not left:
            raise PluginFailure("kubeadm tells of no certificate")
        name, days = min(left.items(), key=lambda item: item[1])
        print(f"{host.address}: {name} is the first of {len(left)} to run out, in {days} days")
        if days < int(context.data.strip() or _LEAST):
            raise PluginFailure(f"certificate {name} runs out in {days} days; renew it: kubeadm certs renew all")
