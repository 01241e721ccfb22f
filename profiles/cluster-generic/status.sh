#!/usr/bin/env bash
# State of a job, by its id, in Snakemake's words: success, failed or running.
# The scheduler is the one whose command is installed; only Slurm's was tried on a real one.
# Where a scheduler does not answer, the job is taken for running, and it is asked again; where it knows no such job
# any more, for failed, which costs another run at worst.
id=$1

slurm() {
    answer=$(squeue --noheader --states=all --format=%T --job "$id" 2>&1)
    case ${answer%%$'\n'*} in
        COMPLETED) echo success ;;
        "" | *"Invalid job id"*) echo failed ;;
        BOOT_FAIL | CANCELLED | DEADLINE | FAILED | NODE_FAIL | OUT_OF_MEMORY | PREEMPTED | REVOKED | TIMEOUT) echo failed ;;
        *) echo running ;;
    esac
}

# OpenPBS and Torque. -x: finished jobs, too, which Torque shows without it.
pbs() {
    answer=$(qstat -x -f "$id" 2>&1) || answer=$(qstat -f "$id" 2>&1)
    case $answer in
        *"Unknown Job"*) echo failed ;;
        *"job_state = F"* | *"job_state = C"*)
            if grep -qi "exit_status = 0$" <<<"$answer"; then echo success; else echo failed; fi
            ;;
        *) echo running ;;
    esac
}

lsf() {
    answer=$(bjobs -noheader -o stat "$id" 2>&1)
    case $answer in
        DONE) echo success ;;
        EXIT | *"is not found"*) echo failed ;;
        *) echo running ;;
    esac
}

if command -v squeue >/dev/null; then
    slurm
elif command -v qstat >/dev/null; then
    pbs
elif command -v bjobs >/dev/null; then
    lsf
else
    echo "status.sh: no squeue, qstat or bjobs on this machine" >&2
    exit 1
fi
