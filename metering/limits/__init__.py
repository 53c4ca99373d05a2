"""What may run: rates, concurrent requests and money, held by rows in PostgreSQL that workers draw allowances from."""
