"""E-mail over SMTP, with TLS from the start or STARTTLS; never in clear but on this machine."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Final, Literal

from service.cases.values import EMAIL
from service.notices.message import Message, NotTaken

_FOR_EVER: Final = 500


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in, and as whom."""

    host: str
    sender: str
    port: int = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    sender_name: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    seconds: float = 15.0
    ca_file: Path | None = None

    def send(self, message: Message) -> None:
        """Hand the message over. Raises NotTaken."""
        from signing.patience import cut_off  # loaded where something is sent, not where a command is parsed

        if not EMAIL.fullmatch(message.to):
            raise NotTaken("address_refused", final=True)
        letter = self.letter(message)
        server: list[smtplib.SMTP] = []
        with cut_off(lambda: server[0].sock if server else None, self.seconds):
            try:
                server.append(self._made())
                self._greet(server[0])
                server[0].send_message(letter, self.sender, [message.to])
            except smtplib.SMTPRecipientsRefused as refused:
                code, _ = refused.recipients[message.to]
                raise NotTaken("address_refused", final=code >= _FOR_EVER) from None
            except smtplib.SMTPAuthenticationError:
                raise NotTaken("login_refused") from None
            except smtplib.SMTPDataError as refused:
                raise NotTaken("mail_refused", final=refused.smtp_code >= _FOR_EVER) from None
            except ssl.SSLError:
                raise NotTaken("tls_failed") from None
            except smtplib.SMTPException as lost:
                raise NotTaken(
                    "unanswered" if isinstance(lost, smtplib.SMTPServerDisconnected) else "unclear"
                ) from None
            except OSError:
                raise NotTaken("unanswered" if server else "unreachable") from None
            finally:
                for one in server:
                    one.close()

    def reach(self) -> None:
        """Go as far as the login and send nothing. Raises NotTaken."""
        try:
            with self._made() as server:
                self._greet(server)
        except smtplib.SMTPAuthenticationError:
            raise NotTaken("login_refused") from None
        except ssl.SSLError:
            raise NotTaken("tls_failed") from None
        except (smtplib.SMTPException, OSError):
            raise NotTaken("unreachable") from None

    def letter(self, message: Message) -> EmailMessage:
        """Return the mail. One id at every try: who has it already knows it."""
        domain = self.sender.rpartition("@")[2]
        letter = EmailMessage(policy=SMTP)
        letter["From"] = Address(self.sender_name, addr_spec=self.sender)
        letter["To"] = Address(addr_spec=message.to)
        letter["Subject"] = message.subject
        letter["Date"] = format_datetime(message.at)
        letter["Message-ID"] = f"<{message.id}@{domain}>"
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(message.text + "\n", cte="quoted-printable")
        return letter

    def _made(self) -> smtplib.SMTP:
        own_name = self.sender.rpartition("@")[2]
        if self.tls == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, own_name, timeout=self.seconds, context=self._trust())
        return smtplib.SMTP(self.host, self.port, own_name, timeout=self.seconds)

    def _greet(self, server: smtplib.SMTP) -> None:
        if self.tls == "starttls":
            server.starttls(context=self._trust())
        if self.user:
            server.login(self.user, self.password)

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
