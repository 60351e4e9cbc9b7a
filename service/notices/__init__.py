"""Tells applicants of their permits, by the channels that their office chose (ADR 0055).

The journal is followed; each notice is a row that waits, is tried for a day and ends visibly. No permit waits for it, and
neither address nor text is kept: both are made of the case when it is sent.
"""
