"""Licence types (证照类型): packages of fields, texts, template and rules, and their loader."""
