#!/bin/sh
. /app/lib.sh
echo worker: $(shared) $(cat /app/queue)
