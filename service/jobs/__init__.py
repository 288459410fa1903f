"""Bulk enrolment."""
