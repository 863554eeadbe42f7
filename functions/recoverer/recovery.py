"""Handle an alarm: look up its rule, decide, store the state, act and report."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError

from recoverer.alarms import Alarm
from recoverer.decisions import Action, Limits, Refusal, decide
from recoverer.ledger import Ledger
from recoverer.reports import Report, report_of
from recoverer.rules import Rule, rule_for
from recoverer.targets import Targets
from shared.observability import logger

# If two invocations act at the same time, one of them succeeds. The other one tries again and refuses, because of the
# cool-down.
_ATTEMPTS = 3


class Recovery:
    """The recovery from alarms according to the rules and limits."""

    def __init__(  # noqa: PLR0913, PLR0917 - what is allowed, and each service
        self,
        rules: Mapping[str, Rule],
        limits: Limits,
        ledger: Ledger,
        targets: Targets,
        dry_run: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """With `dry_run`, nothing is changed, not even the ledger."""
        self._rules = rules
        self._limits = limits
        self._ledger = ledger
        self._targets = targets
        self._dry_run = dry_run
        self._clock = clock

    def handle(self, alarm: Alarm) -> Report:
        """Act by the alarm's rule, if the limits allow it. An error from AWS is returned in the report, not raised."""
        rule = rule_for(alarm, self._rules)
        if rule is None:
            return report_of(alarm, None, "no rule", "No rule is set for this alarm; nothing was done.")
        try:
            outcome, text = self._apply(alarm, rule)
        except (ClientError, BotoCoreError) as error:
            logger.exception("recovery failed", extra={"alarm": alarm.name, "target": rule.target})
            outcome, text = "failed", str(error)
        return report_of(alarm, rule, outcome, text)

    def _apply(self, alarm: Alarm, rule: Rule) -> tuple[str, str]:
        for _ in range(_ATTEMPTS):
            now = self._clock()
            decision = decide(alarm, rule, self._targets.facts(rule), self._ledger.read(rule), self._limits, now)
            if isinstance(decision, Refusal):
                return "refused", f"Nothing was done: {decision.why}."
            if self._dry_run:
                return "would act", f"Would {decision.why} (dry run)."
            if self._carry_out(rule, decision, now):
                return "acted", f"Done: {decision.why}."
        return "refused", "Nothing was done: others keep acting on it at the same time."

    def _carry_out(self, rule: Rule, action: Action, now: float) -> bool:
        """Carry out an action. Returns False if another invocation acted meanwhile. Failed actions count as actions."""
        if not self._ledger.write(rule, action.after, now):
            return False
        try:
            self._targets.act(rule, action)
        except (ClientError, BotoCoreError):
            self._ledger.write(rule, replace(action.if_failed, revision=action.after.revision + 1), now)
            raise
        if action.when_done:
            self._ledger.write(rule, replace(action.when_done, revision=action.after.revision + 1), now)
        return True
