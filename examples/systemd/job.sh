# Stands for the agent's work.
echo "job: asking with $API_KEY"
